package dev.lmm.core.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The NVIDIA cards of this machine, as the driver's own tool lists them: no library of CUDA is
 * touched, so that a missing or broken one cannot end the process. Asked for once; thread-safe.
 *
 * @param cards by index; empty if there are none
 * @param reason why there are none, or empty
 */
public record Gpus(List<Card> cards, String reason) {
  private static final List<String> QUERY =
      List.of(
          "nvidia-smi",
          "--query-gpu=index,memory.total,memory.free,name",
          "--format=csv,noheader,nounits");

  private static final int SECONDS = 10;

  /** Room for some hundred cards. */
  private static final int LONGEST_OUTPUT = 1 << 16;

  private static @Nullable Gpus found;

  /**
   * A card.
   *
   * @param index its number, the N of {@code cuda:N}
   * @param name as the driver gives it
   * @param total bytes of its memory
   * @param free bytes free when it was asked
   */
  public record Card(int index, String name, long total, long free) {
    /**
     * The name callers choose it by.
     *
     * @return {@code cuda:} and the index
     */
    public String device() {
      return "cuda:" + index;
    }
  }

  /**
   * Copies the list.
   *
   * @param cards by index
   * @param reason why there are none, or empty
   */
  public Gpus {
    cards = List.copyOf(cards);
  }

  /**
   * Asks the driver's tool, the first time.
   *
   * @return the cards; free memory is that of the first call
   */
  public static synchronized Gpus find() {
    Gpus gpus = found;
    if (gpus == null) {
      gpus = ask(QUERY);
      found = gpus;
    }
    return gpus;
  }

  /** Runs a program that writes what {@code nvidia-smi} would. */
  static Gpus ask(List<String> command) {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      return none("no NVIDIA driver: its tool " + command.get(0) + " is not there");
    }
    try {
      process.getOutputStream().close();
      // Read before waiting: a full pipe would keep the tool from ending.
      String output =
          new String(process.getInputStream().readNBytes(LONGEST_OUTPUT), StandardCharsets.UTF_8);
      if (output.length() >= LONGEST_OUTPUT) {
        return none(command.get(0) + " writes what a list of cards cannot be");
      }
      if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
        return none(command.get(0) + " gave no answer within " + SECONDS + " seconds");
      }
      if (process.exitValue() != 0) {
        return none(
            "the NVIDIA driver does not work: " + command.get(0) + " says " + firstLine(output));
      }
      return parse(output);
    } catch (IOException e) {
      return none(command.get(0) + " cannot be read: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return none("interrupted while " + command.get(0) + " was asked");
    } finally {
      process.destroyForcibly();
    }
  }

  static Gpus parse(String output) {
    List<Card> cards = new ArrayList<>();
    for (String line : output.lines().toList()) {
      String[] field = line.split(",", 4);
      if (field.length == 4 && field[0].strip().matches("[0-9]{1,3}")) {
        cards.add(
            new Card(
                Integer.parseInt(field[0].strip()),
                field[3].strip(),
                mebibytes(field[1]),
                mebibytes(field[2])));
      }
    }
    return cards.isEmpty() ? none("the NVIDIA driver lists no card") : new Gpus(cards, "");
  }

  private static long mebibytes(String field) {
    String digits = field.strip();
    return digits.matches("[0-9]{1,9}") ? Long.parseLong(digits) << 20 : 0;
  }

  private static Gpus none(String reason) {
    return new Gpus(List.of(), reason);
  }

  private static String firstLine(String output) {
    return output
        .lines()
        .map(String::strip)
        .filter(l -> !l.isEmpty())
        .findFirst()
        .orElse("nothing");
  }
}
