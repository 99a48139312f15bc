package dev.lmm.fuzz;

import com.code_intelligence.jazzer.Jazzer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Lets Jazzer search one target by coverage: {@code Campaign TARGET [FOLDER] [JAZZER ARGUMENTS]}.
 * The folder (by default {@code target/fuzz}) keeps the corpus, the dictionary and what was found.
 */
public final class Campaign {
  private static final String NO_PARSERS = "dev.lmm.core.graph.**:dev.lmm.core.engine.**";

  private static @Nullable Target target;

  private Campaign() {}

  /** Begins a campaign, which ends the process. */
  public static void main(String[] args) throws Exception {
    String name = args.length == 0 ? "" : args[0];
    Target chosen = Targets.of(name);
    boolean given = args.length > 1 && !args[1].startsWith("-");
    Path folder = Path.of(given ? args[1] : "target/fuzz").toAbsolutePath().resolve(name);
    Path seeds = Files.createDirectories(folder.resolve("seeds"));
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    Path found = Files.createDirectories(folder.resolve("found"));
    int number = 0;
    int longest = 0;
    for (byte[] seed : chosen.seeds()) {
      Files.write(seeds.resolve(String.format(Locale.ROOT, "%03d", number++)), seed);
      longest = Math.max(longest, seed.length);
    }
    Path words = folder.resolve("words.dict");
    Files.writeString(words, dictionary(chosen.words()));
    List<String> jazzer =
        new ArrayList<>(
            List.of(
                "--target_class=" + Campaign.class.getName(),
                "--target_args=" + name,
                "--instrumentation_includes=dev.lmm.**",
                "--custom_hook_includes=dev.lmm.**",
                // What is made of a file that has been read: no parser, and most of a load's time.
                "--instrumentation_excludes=" + NO_PARSERS,
                "--custom_hook_excludes=" + NO_PARSERS,
                // What Jazzer takes for an attack, a hub's client does for a living.
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery",
                "--reproducer_path=" + found,
                "-artifact_prefix=" + found + "/",
                "-dict=" + words,
                "-max_len=" + 2 * longest,
                "-print_final_stats=1"));
    jazzer.addAll(Arrays.asList(args).subList(given ? 2 : 1, args.length));
    jazzer.add(corpus.toString());
    jazzer.add(seeds.toString());
    Jazzer.main(jazzer.toArray(new String[0]));
  }

  private static String dictionary(List<String> words) throws IOException {
    StringBuilder out = new StringBuilder();
    for (String word : words) {
      out.append('"');
      for (byte b : word.getBytes(StandardCharsets.ISO_8859_1)) {
        out.append(String.format(Locale.ROOT, "\\x%02x", b & 0xff));
      }
      out.append("\"\n");
    }
    return out.toString();
  }

  /** Jazzer calls it once. */
  public static void fuzzerInitialize(String[] args) {
    target = Targets.of(args[0]);
  }

  /** Jazzer calls it with each input. */
  public static void fuzzerTestOneInput(byte[] input) {
    Guard.accepts(Objects.requireNonNull(target), input);
  }
}
