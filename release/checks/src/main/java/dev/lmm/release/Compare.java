package dev.lmm.release;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Two builds of one source, byte for byte; a signature tells the time and may differ. */
final class Compare {
  private Compare() {}

  static List<String> differences(Bundle one, Bundle other) throws IOException {
    List<String> faults = new ArrayList<>();
    TreeSet<String> files = new TreeSet<>(one.files());
    files.addAll(other.files());
    for (String file : files) {
      if (file.contains(".asc")) {
        continue;
      }
      if (!one.has(file) || !other.has(file)) {
        faults.add(file + " is made by one build alone");
      } else if (!Arrays.equals(one.bytes(file), other.bytes(file))) {
        faults.add(file + " differs" + (file.endsWith(".jar") ? inside(one, other, file) : ""));
      }
    }
    return faults;
  }

  private static String inside(Bundle one, Bundle other, String file) throws IOException {
    Map<String, byte[]> left = Bundle.entries(one.file(file));
    Map<String, byte[]> right = Bundle.entries(other.file(file));
    TreeSet<String> names = new TreeSet<>(left.keySet());
    names.addAll(right.keySet());
    names.removeIf(
        name ->
            left.containsKey(name)
                && right.containsKey(name)
                && Arrays.equals(left.get(name), right.get(name)));
    return names.isEmpty() ? " in dates or order" : " in " + names;
  }
}
