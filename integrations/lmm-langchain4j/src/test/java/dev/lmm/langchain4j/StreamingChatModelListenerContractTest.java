package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.lmm.EngineException;
import java.util.List;

/** LangChain4j's own tests of who listens to chat models that stream. */
class StreamingChatModelListenerContractTest extends AbstractStreamingChatModelListenerIT {
  @Override
  protected StreamingChatModel createModel(ChatModelListener listener) {
    ChatRequestParameters parameters =
        DefaultChatRequestParameters.builder()
            .temperature(temperature())
            .topP(topP())
            .maxOutputTokens(maxTokens())
            .build();
    return LmmStreamingChatModel.builder(new ScriptedChat())
        .defaultRequestParameters(parameters)
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected StreamingChatModel createFailingModel(ChatModelListener listener) {
    return LmmStreamingChatModel.builder(new ScriptedChat(true))
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected String modelName() {
    return ScriptedChat.NAME;
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return EngineException.class;
  }

  @Override
  protected boolean supportsTools() {
    return false;
  }
}
