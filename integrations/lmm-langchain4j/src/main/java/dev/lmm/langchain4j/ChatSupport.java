package dev.lmm.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.lmm.Answer;
import dev.lmm.ChatRequest;
import java.util.UUID;

/** What a request for a chat means to lmm, and an answer to LangChain4j. */
final class ChatSupport {
  private ChatSupport() {}

  /** A model's defaults: its own name, and what the caller wants. */
  static ChatRequestParameters defaults(String model, ChatRequestParameters wanted) {
    check(model, wanted);
    return DefaultChatRequestParameters.builder().modelName(model).build().overrideWith(wanted);
  }

  /** Refuses what would otherwise be passed over. */
  static void check(String model, ChatRequestParameters parameters) {
    refuse(
        parameters.modelName() != null && !parameters.modelName().equals(model),
        "modelName (this model is " + model + ")");
    refuse(parameters.toolChoice() == ToolChoice.REQUIRED, "ToolChoice.REQUIRED");
    refuse(!parameters.toolSpecifications().isEmpty(), "toolSpecifications: use of tools");
    refuse(parameters.frequencyPenalty() != null, "frequencyPenalty");
    refuse(parameters.presencePenalty() != null, "presencePenalty");
    ResponseFormat format = parameters.responseFormat();
    refuse(
        format != null && format.type() == ResponseFormatType.JSON && format.jsonSchema() == null,
        "JSON response format without a schema (with one, the answer keeps to it)");
  }

  private static void refuse(boolean asked, String what) {
    if (asked) {
      throw new UnsupportedFeatureException(what + " is not supported by this model");
    }
  }

  static ChatRequest with(ChatRequest request, ChatRequestParameters parameters) {
    ChatRequest all = request;
    try {
      if (parameters.maxOutputTokens() != null) {
        all = all.maxTokens(parameters.maxOutputTokens());
      }
      if (parameters.temperature() != null) {
        all = all.temperature(parameters.temperature());
      }
      if (parameters.topP() != null) {
        all = all.topP(parameters.topP());
      }
      if (parameters.topK() != null) {
        all = all.topK(parameters.topK());
      }
      if (!parameters.stopSequences().isEmpty()) {
        all = all.stop(parameters.stopSequences().toArray(String[]::new));
      }
      ResponseFormat format = parameters.responseFormat();
      if (format != null && format.type() == ResponseFormatType.JSON) {
        all = all.json(schema(format.jsonSchema()));
      }
      return all;
    } catch (dev.lmm.InvalidRequestException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private static String schema(JsonSchema schema) {
    JsonSchemaElement root = schema.rootElement();
    return root instanceof JsonRawSchema raw
        ? raw.schema()
        : Json.toJson(JsonSchemaElementUtils.toMap(root));
  }

  static ChatResponse response(String model, Answer answer) {
    return ChatResponse.builder()
        .aiMessage(AiMessage.from(answer.text()))
        .metadata(
            ChatResponseMetadata.builder()
                .id(UUID.randomUUID().toString())
                .modelName(model)
                .tokenUsage(new TokenUsage(answer.promptTokens(), answer.tokens().size()))
                .finishReason(finish(answer.end()))
                .build())
        .build();
  }

  private static FinishReason finish(Answer.End end) {
    return switch (end) {
      case COMPLETE, STOP, FORM -> FinishReason.STOP;
      case LENGTH -> FinishReason.LENGTH;
      case UNFINISHED -> FinishReason.OTHER;
    };
  }
}
