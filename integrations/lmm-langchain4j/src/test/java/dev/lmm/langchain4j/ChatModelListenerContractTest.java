package dev.lmm.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.lmm.EngineException;
import java.util.List;

/** LangChain4j's own tests of who listens to chat models. */
class ChatModelListenerContractTest extends AbstractChatModelListenerIT {
  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    ChatRequestParameters parameters =
        DefaultChatRequestParameters.builder()
            .temperature(temperature())
            .topP(topP())
            .maxOutputTokens(maxTokens())
            .build();
    return LmmChatModel.builder(new ScriptedChat())
        .defaultRequestParameters(parameters)
        .listeners(List.of(listener))
        .build();
  }

  @Override
  protected ChatModel createFailingModel(ChatModelListener listener) {
    return LmmChatModel.builder(new ScriptedChat(true)).listeners(List.of(listener)).build();
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
