package dev.lmm.core.hub;

import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model that lies as resources beside a subclass, with a file {@code SHA256SUMS} that lists them
 * as the tool {@code sha256sum} does. Thread-safe.
 */
public abstract class ResourceModel implements BundledModel {
  private final String name;

  /**
   * Makes a model of the resources beside the subclass.
   *
   * @param name the name callers load it by
   */
  protected ResourceModel(String name) {
    this.name = name;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, String> files() {
    Map<String, String> files = new LinkedHashMap<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(open("SHA256SUMS"), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] parts = line.split("  ", 2);
        if (parts.length == 2) {
          files.put(parts[1], parts[0]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("The jar of " + name + " is damaged", e);
    }
    return files;
  }

  /**
   * Opens a resource beside the subclass. Its own code must do so: a module shows its resources to
   * nobody else.
   *
   * @param file its name
   * @return its content, or null if there is none
   */
  protected abstract @Nullable InputStream resource(String file);

  @Override
  public InputStream open(String file) throws IOException {
    InputStream stream = resource(file);
    if (stream == null) {
      throw new FileNotFoundException(name + ": " + file + " is not in the jar");
    }
    return stream;
  }
}
