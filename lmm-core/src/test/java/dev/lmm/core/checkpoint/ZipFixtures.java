package dev.lmm.core.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Zip files that java.util.zip does not write. */
final class ZipFixtures {
  private ZipFixtures() {}

  /**
   * A sparse zip in the 64-bit form: a/data.pkl after a/data/0, which ends in the bytes 1 to 8.
   *
   * @param length of a/data/0
   */
  static Path wide(Path file, byte[] pickle, long length) throws IOException {
    try (FileChannel out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      ByteBuffer first = buffer(64);
      local(first, "a/data/0");
      long data = first.position();
      out.write(first.flip(), 0);
      out.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}), data + length - 8);
      long second = data + length;
      ByteBuffer next = buffer(128 + pickle.length);
      local(next, "a/data.pkl");
      next.put(pickle);
      int used = next.position();
      out.write(next.flip(), second);
      long directory = second + used;
      ByteBuffer end = buffer(1024);
      central(end, "a/data/0", length, 0);
      central(end, "a/data.pkl", pickle.length, second);
      int size = end.position();
      long record = directory + size;
      end.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45).putInt(0);
      end.putInt(0).putLong(2).putLong(2).putLong(size).putLong(directory);
      end.putInt(0x07064b50).putInt(0).putLong(record).putInt(1);
      end.putInt(0x06054b50).putInt(0).putShort((short) 2).putShort((short) 2);
      end.putInt(size).putInt(-1).putShort((short) 0);
      out.write(end.flip(), directory);
    }
    return file;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void local(ByteBuffer out, String name) {
    out.putInt(0x04034b50).put(new byte[22]).putShort((short) name.length()).putShort((short) 0);
    out.put(name.getBytes(StandardCharsets.US_ASCII));
  }

  private static void central(ByteBuffer out, String name, long length, long header) {
    out.putInt(0x02014b50).put(new byte[16]).putInt(-1).putInt(-1);
    out.putShort((short) name.length()).putShort((short) 28).put(new byte[10]).putInt(-1);
    out.put(name.getBytes(StandardCharsets.US_ASCII));
    out.putShort((short) 1).putShort((short) 24).putLong(length).putLong(length).putLong(header);
  }
}
