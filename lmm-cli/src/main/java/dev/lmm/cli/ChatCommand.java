package dev.lmm.cli;

import dev.lmm.Answer;
import dev.lmm.ChatRequest;
import dev.lmm.Conversation;
import dev.lmm.FrameRule;
import dev.lmm.Image;
import dev.lmm.LmmException;
import dev.lmm.Model;
import dev.lmm.TokenStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lmm chat}. */
@Command(
    name = "chat",
    description = {
      "Talks about pictures and videos.",
      "With several --text a conversation; without, one that reads a question from each line."
    })
final class ChatCommand extends ModelCommand {
  @Option(names = "--text", paramLabel = "TEXT", description = "A question; repeatable, in turn.")
  List<String> texts = new ArrayList<>();

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "A picture of the first question; repeatable.")
  List<String> images = new ArrayList<>();

  @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told to be.")
  @Nullable String system;

  @Option(names = "--max-tokens", description = "How long an answer may become; 512 by default.")
  @Nullable Integer maxTokens;

  @Option(names = "--temperature", description = "0 for always the likeliest.")
  @Nullable Double temperature;

  @Option(names = "--top-p", description = "Draws from the likeliest of this much probability.")
  @Nullable Double topP;

  @Option(names = "--top-k", description = "Draws from so many.")
  @Nullable Integer topK;

  @Option(names = "--seed", description = "0 by default.")
  long seed;

  @Option(names = "--json-schema", paramLabel = "SCHEMA", description = "Keeps answers to it.")
  @Nullable String jsonSchema;

  @Option(names = "--regex", paramLabel = "EXPRESSION", description = "Keeps answers to it.")
  @Nullable String regex;

  @Option(names = "--max-pixels", description = "How many pixels of a picture the model sees.")
  int maxPixels;

  @Mixin Videos videos = new Videos();

  @Override
  public Integer call() {
    boolean interactive = texts.isEmpty();
    if (interactive && json) {
      throw wrong("--json needs --text: a conversation is no single document");
    }
    try (Model loaded = load();
        Conversation talk = loaded.chat().conversation(system)) {
      warnOfRandomWeights(loaded.info());
      if (interactive) {
        interact(talk);
        return 0;
      }
      Answer answer = null;
      for (int i = 0; i < texts.size(); i++) {
        answer = answer(request(talk, texts.get(i), i == 0));
      }
      Map<String, Object> document = document(loaded.info());
      answer(document, answer);
      return print(document, () -> {});
    }
  }

  private ChatRequest request(Conversation talk, String text, boolean first) {
    ChatRequest request = talk.ask(text).seed(seed);
    if (first) {
      for (Image image : read(images)) {
        request = request.image(image);
      }
      for (var video : videos.read(this)) {
        request = request.video(video);
      }
      request = videos.utilities ? request.videoPixels(FrameRule.QWEN_VIDEO_PIXELS) : request;
    }
    request = maxTokens == null ? request : request.maxTokens(maxTokens);
    request = temperature == null ? request : request.temperature(temperature);
    request = topP == null ? request : request.topP(topP);
    request = topK == null ? request : request.topK(topK);
    request = jsonSchema == null ? request : request.json(jsonSchema);
    request = regex == null ? request : request.regex(regex);
    return maxPixels == 0 ? request : request.pixels(0, maxPixels);
  }

  /** Prints an answer to people as it comes. */
  private Answer answer(ChatRequest request) {
    try (TokenStream stream = request.stream()) {
      while (stream.hasNext()) {
        String text = stream.next().text();
        if (!json) {
          output().out().print(text);
          output().out().flush();
        }
      }
      if (!json) {
        output().out().println();
      }
      return stream.answer();
    }
  }

  private void interact(Conversation talk) {
    if (!quiet) {
      output().err().println("lmm: an empty line ends the conversation");
    }
    boolean first = true;
    try {
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      while (true) {
        if (!quiet) {
          output().err().print("> ");
          output().err().flush();
        }
        String line = lines.readLine();
        if (line == null || line.isBlank()) {
          return;
        }
        try {
          answer(request(talk, line, first));
          first = false;
        } catch (LmmException e) {
          output().err().println("lmm: " + e.getMessage());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What every command says of an answer. */
  static void answer(Map<String, Object> document, @Nullable Answer answer) {
    if (answer != null) {
      document.put("text", answer.text());
      document.put("tokens", answer.tokens().stream().map(Answer.Token::id).toList());
      document.put("logprobs", answer.tokens().stream().map(Answer.Token::logProbability).toList());
      document.put("promptTokens", answer.promptTokens());
    }
  }
}
