package dev.lmm.fuzz;

import dev.lmm.core.checkpoint.CheckpointWeights;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/**
 * A file of {@code torch.save}: as it is, in both forms, or ({@code Z} and then a pickle) the
 * pickle alone in a sound zip with storages 0 to 3 of 1024 bytes.
 */
final class PickleTarget implements Target {
  private static final String GOLDEN = "lmm-core/src/test/resources/bin";
  private static final byte[] STORAGE = new byte[1024];
  private final Path file = Seeds.work("pickle").resolve("pytorch_model.bin");

  @Override
  public void read(byte[] input) {
    byte[] bytes = input.length > 0 && input[0] == 'Z' ? zip(input) : input;
    Seeds.write(file, bytes, 0, bytes.length);
    try (CheckpointWeights weights = CheckpointWeights.ofTorch(file)) {
      SafetensorsTarget.readAll(weights, bytes.length);
    }
  }

  private static byte[] zip(byte[] input) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      store(zip, "m/data.pkl", input, 1);
      for (int i = 0; i < 4; i++) {
        store(zip, "m/data/" + i, STORAGE, 0);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] bytes, int from)
      throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length - from);
    CRC32 sum = new CRC32();
    sum.update(bytes, from, bytes.length - from);
    entry.setCrc(sum.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes, from, bytes.length - from);
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (byte[] file :
        Seeds.folder(GOLDEN, 20_000, name -> name.endsWith(".bin") || name.endsWith(".pth"))) {
      seeds.add(file);
      byte[] pickle = pickle(file);
      if (pickle.length > 0) {
        seeds.add(Seeds.tagged('Z', pickle));
      }
    }
    return seeds;
  }

  private static byte[] pickle(byte[] file) {
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(file))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (entry.getName().endsWith("/data.pkl")) {
          return zip.readAllBytes();
        }
      }
    } catch (IOException e) {
      // The forms that java.util.zip does not read are seeds as they are.
      return new byte[0];
    }
    return new byte[0];
  }

  @Override
  public List<String> words() {
    List<String> words =
        new ArrayList<>(
            List.of(
                "K\1",
                "K\u00ff",
                "J\u00ff\u00ff\u00ff\u00ff",
                "\u008a\10\0\0\0\0\0\0\0\u0080",
                "\u008b\u00ff\u00ff\u00ff\u007f",
                "X\u00ff\u00ff\u00ff\u007f",
                "\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f",
                "r\u00ff\u00ff\u00ff\u00ff",
                "q\0",
                "h\0",
                "X\1\0\0\0000",
                "X\7\0\0\0storage",
                "X\3\0\0\0cpu",
                "cos\nsystem\n",
                "cbuiltins\neval\n",
                "ctorch\nFloatStorage\n",
                "ctorch\nHalfStorage\n",
                "ctorch\nSize\n",
                "ctorch._utils\n_rebuild_tensor_v2\n",
                "ctorch._utils\n_rebuild_parameter\n",
                "ccollections\nOrderedDict\n",
                "\u0080\2",
                "\u0080\5",
                "PK\1\2",
                "PK\3\4",
                "PK\5\6",
                "PK\6\6",
                "PK\6\7",
                "\u00ff\u00ff\u00ff\u00ff"));
    // Every opcode.
    for (char c : ".N(tel]}usaRbQqrhjcKMJGXTU)".toCharArray()) {
      words.add(String.valueOf(c));
    }
    for (int op = 0x80; op <= 0x98; op++) {
      words.add(new String(new byte[] {(byte) op}, StandardCharsets.ISO_8859_1));
    }
    return words;
  }
}
