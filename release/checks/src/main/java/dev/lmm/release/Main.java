package dev.lmm.release;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What {@code release/stage} calls. */
public final class Main {
  private Main() {}

  /**
   * Runs one of
   *
   * <pre>
   * key FOLDER                              secret.asc and public.asc; passphrase in MAVEN_GPG_PASSPHRASE
   * unpack ZIP FOLDER
   * check FOLDER VERSION PUBLIC.ASC PARTS [PLACE...]
   * compare FOLDER FOLDER VERSION
   * </pre>
   *
   * and ends the process with 1 if there is a fault.
   *
   * @param arguments as above
   */
  public static void main(String[] arguments) throws IOException {
    List<String> given = List.of(arguments);
    String command = given.isEmpty() ? "" : given.get(0);
    List<String> faults;
    switch (command) {
      case "key" -> {
        ThrowAwayKey.write(Path.of(given.get(1)), System.getenv("MAVEN_GPG_PASSPHRASE"));
        faults = List.of();
      }
      case "unpack" -> {
        Bundle.unpack(Path.of(given.get(1)), Path.of(given.get(2)));
        faults = List.of();
      }
      case "check" -> {
        Bundle bundle = new Bundle(Path.of(given.get(1)), given.get(2));
        faults =
            check(
                bundle,
                Path.of(given.get(3)),
                Path.of(given.get(4)),
                given.subList(5, given.size()));
        System.out.println(
            "release: "
                + bundle.artifacts().size()
                + " artifacts, "
                + bundle.files().size()
                + " files, "
                + faults.size()
                + " faults");
      }
      case "compare" -> {
        faults =
            Compare.differences(
                new Bundle(Path.of(given.get(1)), given.get(3)),
                new Bundle(Path.of(given.get(2)), given.get(3)));
        System.out.println("release: " + faults.size() + " files differ between two builds");
      }
      default ->
          throw new IllegalArgumentException(
              "key, unpack, check or compare: " + Arrays.toString(arguments));
    }
    faults.forEach(fault -> System.err.println("release: " + fault));
    System.exit(faults.isEmpty() ? 0 : 1);
  }

  static List<String> check(Bundle bundle, Path publicKey, Path parts, List<String> places)
      throws IOException {
    List<String> faults = new ArrayList<>();
    faults.addAll(FileRules.artifacts(bundle));
    faults.addAll(FileRules.fileSet(bundle));
    faults.addAll(FileRules.checksums(bundle));
    faults.addAll(Signatures.signatures(bundle, publicKey));
    faults.addAll(PomRules.poms(bundle));
    faults.addAll(JarRules.main(bundle));
    faults.addAll(JarRules.sources(bundle));
    faults.addAll(JarRules.javadoc(bundle));
    faults.addAll(JarRules.places(bundle, places));
    faults.addAll(Sbom.bills(bundle));
    faults.addAll(RunnableRules.runnable(bundle, parts));
    return faults;
  }
}
