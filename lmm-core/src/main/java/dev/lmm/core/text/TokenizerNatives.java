package dev.lmm.core.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.lmm.core.engine.NativeFiles;
import dev.lmm.core.engine.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The native library of the tokenizers: which files, and from where. Thread-safe. */
public final class TokenizerNatives {
  private static final Logger LOG = LoggerFactory.getLogger(TokenizerNatives.class);
  private static final String ROOT = "/native/lib/";

  /**
   * The bindings' own variable: the library to load. A folder will not do: where there is no CUDA,
   * they fail over its null architecture.
   */
  private static final String PATH = "RUST_LIBRARY_PATH";

  private TokenizerNatives() {}

  /**
   * The library of this platform, as it lies in the bindings' jar.
   *
   * @return its files; none if the jar has none for this platform
   */
  public static NativeFiles find() {
    return find(Platform.current());
  }

  static NativeFiles find(Platform platform) {
    Map<String, URL> files = new TreeMap<>();
    String folder = folder(platform);
    for (String name : names(platform)) {
      URL url = HuggingFaceTokenizer.class.getResource(ROOT + folder + "/cpu/" + name);
      if (url != null) {
        files.put(name, url);
      }
    }
    return new NativeFiles("tokenizers", version(), platform.label(), files);
  }

  /**
   * Lets the library be loaded from a folder.
   *
   * @param folder with the files that {@link #find} names
   * @return false if it has been loaded already, or the environment names another folder
   */
  public static boolean use(Path folder) {
    if (System.getenv(PATH) != null || NativeTokenizers.everOpened()) {
      return false;
    }
    System.setProperty(PATH, folder.resolve(System.mapLibraryName("tokenizers")).toString());
    return true;
  }

  private static String folder(Platform platform) {
    String processor = platform.processor().equals("x64") ? "x86_64" : "aarch64";
    return (platform.system().equals("windows") ? "win" : platform.system()) + "-" + processor;
  }

  private static List<String> names(Platform platform) {
    if (!platform.supported()) {
      return List.of();
    }
    return switch (platform.system()) {
      case "windows" ->
          List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", "tokenizers.dll");
      case "osx" -> List.of("libtokenizers.dylib");
      default -> List.of("libtokenizers.so");
    };
  }

  private static String version() {
    Properties properties = new Properties();
    try (InputStream in =
        HuggingFaceTokenizer.class.getResourceAsStream(ROOT + "tokenizers.properties")) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException | IllegalArgumentException e) {
      LOG.debug("the version of the native tokenizers cannot be read", e);
    }
    return properties.getProperty("version", "");
  }
}
