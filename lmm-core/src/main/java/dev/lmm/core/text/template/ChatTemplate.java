package dev.lmm.core.text.template;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.json.Json;
import dev.lmm.core.json.SmallFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint's own chat template. Immutable and thread-safe.
 *
 * <p>It is a strict subset of Jinja, with white space as transformers renders it: texts, lists,
 * mappings, {@code if for set macro break continue}, the operators, and the filters, tests and
 * methods that published templates use. Anything else is an error that names it. What a rendering
 * may take is bounded: 5 million steps, 4 million characters.
 *
 * <pre>{@code
 * ChatTemplate template = ChatTemplate.load(folder).orElseThrow();
 * int[] ids = template.render(Map.of(
 *     "messages", List.of(Map.of("role", "user", "content", "Hello")),
 *     "add_generation_prompt", true)).encode(tokenizer);
 * }</pre>
 */
public final class ChatTemplate {
  private static final List<String> SPECIAL =
      List.of("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token");

  private final String name;
  private final List<Node> nodes;
  private final Map<String, String> special;
  private final Clock clock;
  private final int steps;

  private ChatTemplate(
      String name, List<Node> nodes, Map<String, String> special, Clock clock, int steps) {
    this.name = name;
    this.nodes = nodes;
    this.special = special;
    this.clock = clock;
    this.steps = steps;
  }

  /**
   * Reads a template.
   *
   * @param name what to call it in messages
   * @param source the template
   * @return the template
   * @throws CheckpointException if it is broken, naming the line
   * @throws dev.lmm.UnsupportedModelException if it has a tag that is not supported, naming it
   */
  public static ChatTemplate parse(String name, String source) {
    Check.that(
        Check.notNull(source, "source").length() <= 1 << 20,
        name + ": has " + source.length() + " characters; at most " + (1 << 20) + " are taken");
    return new ChatTemplate(
        name,
        new Parser(name, source).parse(),
        Map.of(),
        Clock.system(ZoneId.systemDefault()),
        Interpreter.MOST_STEPS);
  }

  /**
   * The template of a checkpoint: chat_template.jinja, else chat_template.json, else that in
   * tokenizer_config.json (the default one of several), with the names of its special tokens.
   *
   * @param folder the checkpoint's
   * @return the template, or empty if the checkpoint has none
   * @throws CheckpointException if it is broken
   */
  public static Optional<ChatTemplate> load(Path folder) {
    Path config = folder.resolve("tokenizer_config.json");
    Map<String, String> special = new LinkedHashMap<>();
    Json settings = Files.isRegularFile(config) ? Json.parse(config) : null;
    if (settings != null) {
      for (String key : SPECIAL) {
        if (settings.hasValue(key)) {
          Json token = settings.at(key);
          special.put(key, token.isString() ? token.string() : token.stringAt("content"));
        }
      }
    }
    Path jinja = folder.resolve("chat_template.jinja");
    Path json = folder.resolve("chat_template.json");
    if (Files.isRegularFile(jinja)) {
      return Optional.of(parse(jinja.toString(), SmallFile.text(jinja)).withSpecial(special));
    }
    if (Files.isRegularFile(json)) {
      return of(Json.parse(json), json, special);
    }
    return settings == null ? Optional.empty() : of(settings, config, special);
  }

  private static Optional<ChatTemplate> of(Json json, Path file, Map<String, String> special) {
    if (!json.hasValue("chat_template")) {
      return Optional.empty();
    }
    Json template = json.at("chat_template");
    String name = file + " chat_template";
    if (template.isString()) {
      return Optional.of(parse(name, template.string()).withSpecial(special));
    }
    for (Json each : template.elements()) {
      if (each.stringAt("name").equals("default")) {
        return Optional.of(parse(name, each.stringAt("template")).withSpecial(special));
      }
    }
    throw template.unexpected("a template named default");
  }

  private ChatTemplate withSpecial(Map<String, String> tokens) {
    return new ChatTemplate(name, nodes, Map.copyOf(tokens), clock, steps);
  }

  /**
   * The same with another clock, for templates that write today's date.
   *
   * @param other where the time comes from
   * @return a changed template
   */
  public ChatTemplate clock(Clock other) {
    return new ChatTemplate(name, nodes, special, Check.notNull(other, "clock"), steps);
  }

  /**
   * The same with another bound of what a rendering may take.
   *
   * @param most statements and expressions, each time they are run; at least 1, 5 million by
   *     default
   * @return a changed template
   */
  public ChatTemplate steps(int most) {
    Check.that(most >= 1, "steps: is " + most + "; expected at least 1");
    return new ChatTemplate(name, nodes, special, clock, most);
  }

  /**
   * Puts messages into the template.
   *
   * @param variables {@code messages}, {@code add_generation_prompt}, {@code tools} and whatever
   *     else the template asks for: texts, numbers, truth values, lists, maps, null for none. All
   *     texts are data; a special token's name given here (bos_token ...) is the template's own
   * @return the text
   * @throws InvalidRequestException if the template refuses the messages
   * @throws CheckpointException if it fails, or takes too much, naming the line
   * @throws dev.lmm.UnsupportedModelException if it uses something that is not supported, naming it
   */
  public Rendered render(Map<String, ?> variables) {
    Map<String, Object> values = new LinkedHashMap<>();
    special.forEach((key, token) -> values.put(key, Text.template(token)));
    try {
      variables.forEach(
          (key, value) ->
              values.put(
                  key,
                  SPECIAL.contains(key) && value instanceof String token
                      ? Text.template(token)
                      : Values.of(value)));
    } catch (TemplateFailure e) {
      throw new InvalidRequestException("variables: " + e.getMessage(), e);
    }
    return new Rendered(new Interpreter(name, values, clock, steps).run(nodes));
  }
}
