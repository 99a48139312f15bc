package dev.lmm;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Requests as the text that the web user interfaces of the field put into PNG files: the prompt, a
 * line for the negative prompt, a line of settings. What those have no name for has one of ours,
 * and what would be ambiguous is written once more, quoted, among the settings.
 */
final class RequestText {
  private static final String NEGATIVE = "\nNegative prompt: ";
  private static final String OURS = "lmm";

  /** {@code Key: value} or {@code Key: "quoted, value"}, up to a comma. */
  private static final Pattern SETTING =
      Pattern.compile("\\s*(\\w[\\w \\-/]*):\\s*(\"(?:\\\\.|[^\\\\\"])*+\"|[^,]*+)(?:,|$)");

  /** How others name adapters, within a prompt. */
  private static final Pattern LORA_TAG =
      Pattern.compile("<lora:([^:<>]{1,200})(?::([+-]?[0-9.]{1,20}))?(?::[^<>]{0,100})?>");

  /** Schedulers as others name them; ours name themselves. */
  private static final Map<String, String> SAMPLERS =
      Map.ofEntries(
          Map.entry("euler a", "euler-a"),
          Map.entry("dpm2 a", "dpm2-a"),
          Map.entry("dpm++ 2m", "dpmpp-2m"),
          Map.entry("dpm++ 2m sde", "dpmpp-2m-sde"),
          Map.entry("dpm++ sde", "dpmpp-sde"),
          Map.entry("plms", "pndm"));

  private RequestText() {}

  // Writing.

  /** The text of a request whose steps, guidance, scheduler and size are set. */
  static String write(GenerateRequest r, String model) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("Steps", Integer.toString(r.steps()));
    settings.put("Sampler", String.valueOf(r.scheduler()));
    put(settings, "Schedule type", r.sigmas());
    settings.put("CFG scale", Double.toString(r.guidance()));
    settings.put("Seed", Long.toString(r.seed()));
    if (r.variationStrength() > 0) {
      settings.put("Variation seed", Long.toString(r.variationSeed()));
      settings.put("Variation seed strength", Double.toString(r.variationStrength()));
    }
    settings.put("Size", r.width() + "x" + r.height());
    if (r.image() != null) {
      settings.put("Denoising strength", Double.toString(r.strength()));
    }
    if (r.mask() != null) {
      settings.put("Mask", "true");
    }
    if (r.clipSkip() > 0) {
      // They count the last layer as 1.
      settings.put("Clip skip", Integer.toString(r.clipSkip() + 1));
    }
    if (r.guidanceRescale() > 0) {
      settings.put("Guidance rescale", Double.toString(r.guidanceRescale()));
    }
    if (r.longPrompts()) {
      settings.put("Long prompts", "true");
    }
    if (r.promptWeights()) {
      settings.put("Prompt weights", "true");
    }
    if (r.vaeTiling()) {
      settings.put("VAE tiling", "true");
    }
    if (r.decodeBy() != null) {
      settings.put("Decoder", String.valueOf(r.decodeBy().getFileName()));
    }
    int number = 1;
    for (Lora lora : r.loras()) {
      settings.put("Lora " + number++, lora.scale() + " " + lora.file().getFileName());
    }
    number = 1;
    for (TextualInversion word : r.textualInversions()) {
      settings.put("Embedding " + number, word.word());
      settings.put("Embedding file " + number++, String.valueOf(word.file().getFileName()));
    }
    settings.put("Model", model);
    settings.put("Version", OURS);
    String text = text(r, settings);
    Parsed read = parse(text);
    if (!r.prompt().equals(read.prompt())
        || !java.util.Objects.equals(r.negative(), read.negative())) {
      settings.put("Prompt", quoted(r.prompt()));
      put(settings, "Negative", r.negative() == null ? null : quoted(r.negative()));
      text = text(r, settings);
    }
    return text;
  }

  private static void put(Map<String, String> settings, String key, @Nullable String value) {
    if (value != null) {
      settings.put(key, value);
    }
  }

  private static String text(GenerateRequest r, Map<String, String> settings) {
    StringBuilder text = new StringBuilder(r.prompt());
    if (r.negative() != null) {
      text.append(NEGATIVE).append(r.negative());
    }
    char before = '\n';
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      String value = setting.getValue();
      boolean plain = value.startsWith("\"") || !value.matches("(?s).*[,:\n\r\"].*|\\s.*|.*\\s");
      text.append(before == ',' ? ", " : "\n");
      text.append(setting.getKey()).append(": ").append(plain ? value : quoted(value));
      before = ',';
    }
    return text.toString();
  }

  /** As a JSON string; the line stays one line. */
  private static String quoted(String value) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < 0x20) {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  // Reading.

  private record Parsed(String prompt, @Nullable String negative, Map<String, String> settings) {}

  private static Parsed parse(String text) {
    int line = text.lastIndexOf('\n');
    Map<String, String> settings = new LinkedHashMap<>();
    Matcher matcher = SETTING.matcher(text.substring(line + 1));
    while (matcher.regionStart() < matcher.regionEnd() && matcher.lookingAt()) {
      settings.put(matcher.group(1), unquoted(matcher.group(2)));
      matcher.region(matcher.end(), matcher.regionEnd());
    }
    String words = line < 0 ? "" : text.substring(0, line);
    int negative = ("\n" + words).indexOf(NEGATIVE);
    String prompt = negative < 0 ? words : words.substring(0, Math.max(0, negative - 1));
    String avoided =
        negative < 0
            ? null
            : words.substring(Math.min(words.length(), negative + NEGATIVE.length() - 1));
    if (settings.containsKey("Prompt")) {
      prompt = settings.get("Prompt");
      avoided = settings.get("Negative");
    }
    return new Parsed(prompt, avoided, settings);
  }

  private static String unquoted(String value) {
    String trimmed = value.strip();
    if (trimmed.length() < 2 || !trimmed.startsWith("\"") || !trimmed.endsWith("\"")) {
      return trimmed;
    }
    StringBuilder plain = new StringBuilder();
    for (int i = 1; i < trimmed.length() - 1; i++) {
      char c = trimmed.charAt(i);
      if (c != '\\' || i + 2 >= trimmed.length()) {
        plain.append(c);
        continue;
      }
      char escaped = trimmed.charAt(++i);
      if (escaped == 'u' && trimmed.substring(i + 1).matches("(?s)[0-9a-fA-F]{4}.*")) {
        plain.append((char) Integer.parseInt(trimmed.substring(i + 1, i + 5), 16));
        i += 4;
      } else {
        plain.append(escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped);
      }
    }
    return plain.toString();
  }

  /**
   * The request of a text.
   *
   * @param text as {@link #write} and others write it
   * @param source where it stands, for messages
   * @param files the folder of adapters and learned words
   * @param generator what it is asked
   */
  static GenerateRequest read(String text, String source, Path files, Generator generator) {
    Parsed parsed = parse(text.stripTrailing());
    Map<String, String> settings = parsed.settings();
    Reader reader = new Reader(settings, source);
    if (!settings.containsKey("Steps") || !settings.containsKey("Seed")) {
      throw new InvalidRequestException(
          source
              + ": its text has no line of settings with Steps and Seed; found \""
              + head(text)
              + "\"");
    }
    boolean ours = OURS.equals(settings.get("Version"));
    String prompt = parsed.prompt();
    GenerateRequest request =
        generator.generate(ours ? prompt : LORA_TAG.matcher(prompt).replaceAll(""));
    if (parsed.negative() != null) {
      request = request.negative(parsed.negative());
    }
    request = request.steps((int) reader.number("Steps")).seed((long) reader.number("Seed"));
    if (ours) {
      request = request.seed(reader.seed("Seed"));
    }
    if (settings.containsKey("Variation seed strength")) {
      request =
          request.variation(
              reader.seed("Variation seed"), reader.number("Variation seed strength"));
    }
    if (settings.containsKey("CFG scale")) {
      request = request.guidance(reader.number("CFG scale"));
    }
    if (settings.containsKey("Size")) {
      request = reader.size(request);
    }
    if (settings.containsKey("Clip skip")) {
      request = request.clipSkip(Math.max(0, (int) reader.number("Clip skip") - 1));
    }
    if (settings.containsKey("Guidance rescale")) {
      request = request.guidanceRescale(reader.number("Guidance rescale"));
    }
    request = scheduler(request, settings, ours);
    if (settings.containsKey("Denoising strength")) {
      request =
          request
              .strength(reader.number("Denoising strength"))
              .missing(settings.containsKey("Mask") ? "a picture and a mask" : "a picture");
    }
    // Others always read both.
    request = request.longPrompts(!ours || settings.containsKey("Long prompts"));
    request = request.promptWeights(!ours || settings.containsKey("Prompt weights"));
    request = request.vaeTiling(ours && settings.containsKey("VAE tiling"));
    if (ours && settings.containsKey("Decoder")) {
      request = request.decodeBy(reader.file(files, reader.text("Decoder")));
    }
    return ours ? ourFiles(request, reader, files) : theirLoras(request, prompt, files);
  }

  private static String head(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }

  private static GenerateRequest scheduler(
      GenerateRequest request, Map<String, String> settings, boolean ours) {
    String name = settings.get("Sampler");
    if (name == null) {
      return request;
    }
    String spacing = settings.get("Schedule type");
    if (!ours) {
      name = name.toLowerCase(Locale.ROOT);
      for (String end : new String[] {"karras", "exponential", "beta"}) {
        if (name.endsWith(" " + end)) {
          // Older versions name both in one.
          name = name.substring(0, name.length() - end.length() - 1);
          spacing = end;
        }
      }
      name = SAMPLERS.getOrDefault(name, name);
      spacing = spacing == null ? null : spacing.toLowerCase(Locale.ROOT);
      spacing = spacing != null && spacing.matches("karras|exponential|beta") ? spacing : null;
    }
    request = request.scheduler(name);
    return spacing == null ? request : request.sigmas(spacing);
  }

  private static GenerateRequest ourFiles(GenerateRequest request, Reader reader, Path files) {
    for (int i = 1; reader.settings.containsKey("Lora " + i); i++) {
      String[] lora = reader.text("Lora " + i).split(" ", 2);
      if (lora.length < 2) {
        throw reader.broken("Lora " + i, "a scale and a file");
      }
      request = request.lora(reader.file(files, lora[1]), reader.number("Lora " + i, lora[0]));
    }
    for (int i = 1; reader.settings.containsKey("Embedding " + i); i++) {
      request =
          request.textualInversion(
              reader.text("Embedding " + i),
              reader.file(files, reader.text("Embedding file " + i)));
    }
    return request;
  }

  private static GenerateRequest theirLoras(GenerateRequest request, String prompt, Path files) {
    Matcher tags = LORA_TAG.matcher(prompt);
    while (tags.find()) {
      Reader reader = new Reader(Map.of(), "the tag " + tags.group());
      double scale = tags.group(2) == null ? 1 : reader.number("scale", tags.group(2));
      request = request.lora(reader.file(files, tags.group(1) + ".safetensors"), scale);
    }
    return request;
  }

  /** Reads settings, with messages that name them. */
  private record Reader(Map<String, String> settings, String source) {
    String text(String key) {
      String value = settings.get(key);
      if (value == null) {
        throw broken(key, "it to be there");
      }
      return value;
    }

    double number(String key) {
      return number(key, text(key));
    }

    double number(String key, String value) {
      try {
        double number = Double.parseDouble(value);
        if (Double.isFinite(number)) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Told below.
      }
      throw broken(key, "a number");
    }

    long seed(String key) {
      try {
        return Long.parseLong(text(key));
      } catch (NumberFormatException e) {
        throw broken(key, "a whole number");
      }
    }

    GenerateRequest size(GenerateRequest request) {
      String[] sides = text("Size").split("x", -1);
      if (sides.length != 2 || !(sides[0] + sides[1]).matches("[0-9]{2,10}")) {
        throw broken("Size", "for instance 512x512");
      }
      return request.size((int) number("Size", sides[0]), (int) number("Size", sides[1]));
    }

    /** A file named in a picture of unknown origin: a plain name, never a way out of the folder. */
    Path file(Path folder, String name) {
      if (name.isBlank() || name.matches("(?s).*[/\\\\:\0].*") || name.equals("..")) {
        throw new InvalidRequestException(
            source + ": names the file \"" + name + "\"; expected a plain file name");
      }
      return folder.resolve(name);
    }

    InvalidRequestException broken(String key, String expected) {
      return new InvalidRequestException(
          source + ": " + key + " is \"" + settings.get(key) + "\"; expected " + expected);
    }
  }
}
