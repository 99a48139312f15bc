package dev.lmm.search;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.Lock;

/** Another process that updates an index, until its input ends. */
final class LockHolder {
  private LockHolder() {}

  public static void main(String[] arguments) throws IOException {
    try (Directory directory = FSDirectory.open(Path.of(arguments[0]));
        Lock lock = directory.obtainLock("write.lock")) {
      lock.ensureValid();
      System.out.println("locked");
      while (System.in.read() >= 0) {
        // nothing to say
      }
    }
  }
}
