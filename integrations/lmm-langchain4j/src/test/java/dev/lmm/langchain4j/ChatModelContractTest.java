package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.util.List;

/**
 * LangChain4j's own tests of chat models. Those of tools and of names of other models find none.
 */
class ChatModelContractTest extends AbstractChatModelIT {
  @Override
  protected List<ChatModel> models() {
    return List.of(LmmChatModel.of(new ScriptedChat()));
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return LmmChatModel.builder(new ScriptedChat()).defaultRequestParameters(parameters).build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return DefaultChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  @Override
  protected String customModelName() {
    return "another";
  }

  @Override
  protected boolean supportsModelNameParameter() {
    return false;
  }

  @Override
  protected boolean supportsTools() {
    return false;
  }

  @Override
  protected boolean supportsToolChoiceRequired() {
    return false;
  }

  /** With a schema alone. */
  @Override
  protected boolean supportsJsonResponseFormat() {
    return false;
  }

  @Override
  protected boolean supportsToolsAndJsonResponseFormatWithSchema() {
    return false;
  }

  /** Nothing is fetched unless the caller gives a loader. */
  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsPublicURLs() {
    return false;
  }
}
