package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.SmallFile;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is needed of a sentencepiece model, {@code spiece.model} or {@code tokenizer.model}: a
 * protocol buffer {@code sentencepiece.ModelProto}.
 *
 * @param algorithm how text is cut into pieces
 * @param pieces the vocabulary, by id
 * @param scores log-probability of each piece; rank of the merge with {@link Algorithm#BPE}
 * @param kinds what each piece stands for
 * @param unknown id of the unknown piece
 * @param byteFallback whether characters without a piece become pieces of their bytes
 * @param named the texts of {@code bos_token}, {@code eos_token} and {@code unk_token}, as far as
 *     the model has them
 * @param charsMap the normaliser's precompiled table; empty for none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SentencePieceModel(
    Algorithm algorithm,
    List<String> pieces,
    List<Float> scores,
    List<Kind> kinds,
    int unknown,
    boolean byteFallback,
    Map<String, String> named,
    byte[] charsMap) {
  /** How text is cut into pieces; the format's numbers are one higher. */
  enum Algorithm {
    UNIGRAM,
    BPE,
    WORD,
    CHAR
  }

  /** What a piece stands for; the format's numbers are one higher. */
  enum Kind {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE;

    /** Whether such a piece is looked for in text. */
    boolean matchable() {
      return this != UNKNOWN && this != CONTROL && this != UNUSED;
    }
  }

  static SentencePieceModel read(Path file) {
    return new Reader(file).model(ByteBuffer.wrap(SmallFile.bytes(file)));
  }

  /**
   * Reads a model of one kind.
   *
   * @param file the model
   * @param expected how it must cut text
   * @param expectedBy what expects it, for messages
   * @return the model
   * @throws CheckpointException if it is of another kind, or broken
   */
  static SentencePieceModel read(Path file, Algorithm expected, String expectedBy) {
    SentencePieceModel model = read(file);
    if (model.algorithm != expected) {
      throw new CheckpointException(
          file
              + ": trainer_spec.model_type is "
              + model.algorithm
              + "; "
              + expectedBy
              + " expects "
              + expected);
    }
    return model;
  }

  /** Walks the message; skips what is not needed. */
  private static final class Reader {
    private final Path file;
    private final List<String> pieces = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Kind> kinds = new ArrayList<>();
    private final Map<String, String> named =
        new HashMap<>(Map.of("unk_token", "<unk>", "bos_token", "<s>", "eos_token", "</s>"));
    private int unknown = -1;
    private Algorithm algorithm = Algorithm.UNIGRAM;
    private boolean byteFallback;
    private byte[] charsMap = {};

    Reader(Path file) {
      this.file = file;
    }

    SentencePieceModel model(ByteBuffer bytes) {
      try {
        fields(
            bytes,
            (field, value) -> {
              switch (field) {
                case 1 -> piece(value);
                case 2 -> trainer(value);
                case 3 -> normalizer(value);
                default -> {}
              }
            },
            (field, number) -> {});
      } catch (BufferUnderflowException | IllegalArgumentException e) {
        throw new CheckpointException(
            file + ": ends inside a field; is it a whole sentencepiece model?", e);
      }
      if (pieces.isEmpty() || unknown < 0) {
        throw new CheckpointException(
            file + ": has " + pieces.size() + " pieces; expected some, one of type UNKNOWN");
      }
      return new SentencePieceModel(
          algorithm,
          List.copyOf(pieces),
          List.copyOf(scores),
          List.copyOf(kinds),
          unknown,
          byteFallback,
          Map.copyOf(named),
          charsMap);
    }

    private void piece(ByteBuffer message) {
      String[] text = {""};
      float[] score = {0};
      long[] type = {1};
      fields(
          message,
          (field, value) -> {
            if (field == 1) {
              text[0] = StandardCharsets.UTF_8.decode(value).toString();
            }
          },
          (field, number) -> {
            if (field == 2) {
              score[0] = Float.intBitsToFloat((int) number);
            } else if (field == 3) {
              type[0] = number;
            }
          });
      if (!(Math.abs(score[0]) < 1e30f)) {
        throw new CheckpointException(
            file
                + ": piece "
                + pieces.size()
                + " has the score "
                + score[0]
                + "; expected a log-probability");
      }
      Kind kind = of(Kind.values(), type[0], "pieces[" + pieces.size() + "].type");
      if (kind == Kind.UNKNOWN && unknown < 0) {
        unknown = pieces.size();
      }
      kinds.add(kind);
      pieces.add(text[0]);
      scores.add(score[0]);
    }

    private <T> T of(T[] values, long number, String field) {
      if (number < 1 || number > values.length) {
        throw new CheckpointException(
            file + ": " + field + " is " + number + "; expected 1 to " + values.length);
      }
      return values[(int) number - 1];
    }

    private void trainer(ByteBuffer message) {
      // The pieces count where the ids beside them, fields 40 to 42, are not negative.
      List<String> names = List.of("unk_token", "bos_token", "eos_token");
      List<String> without = new ArrayList<>();
      fields(
          message,
          (field, value) -> {
            if (field >= 45 && field <= 47) {
              named.put(names.get(field - 45), StandardCharsets.UTF_8.decode(value).toString());
            }
          },
          (field, number) -> {
            switch (field) {
              case 3 -> algorithm = of(Algorithm.values(), number, "trainer_spec.model_type");
              case 35 -> byteFallback = number != 0;
              case 40, 41, 42 -> {
                if ((int) number < 0) {
                  without.add(names.get(field - 40));
                }
              }
              default -> {}
            }
          });
      named.keySet().removeAll(without);
    }

    private void normalizer(ByteBuffer message) {
      fields(
          message,
          (field, value) -> {
            if (field == 2) {
              charsMap = new byte[value.remaining()];
              value.get(charsMap);
            }
          },
          (field, number) -> {});
    }

    private interface Bytes {
      void field(int number, ByteBuffer value);
    }

    private interface Numbers {
      void field(int number, long value);
    }

    private void fields(ByteBuffer message, Bytes bytes, Numbers numbers) {
      message.order(ByteOrder.LITTLE_ENDIAN);
      while (message.hasRemaining()) {
        long key = varint(message);
        int field = (int) (key >>> 3);
        switch ((int) (key & 7)) {
          case 0 -> numbers.field(field, varint(message));
          case 1 -> numbers.field(field, message.getLong());
          case 2 -> {
            long length = varint(message);
            if (length < 0 || length > message.remaining()) {
              throw new CheckpointException(
                  file
                      + ": field "
                      + field
                      + " claims "
                      + length
                      + " bytes, "
                      + message.remaining()
                      + " are left");
            }
            bytes.field(field, message.slice(message.position(), (int) length));
            message.position(message.position() + (int) length);
          }
          case 5 -> numbers.field(field, message.getInt());
          default ->
              throw new CheckpointException(
                  file
                      + ": field "
                      + field
                      + " has wire type "
                      + (key & 7)
                      + "; expected 0, 1, 2, 5");
        }
      }
    }

    private long varint(ByteBuffer message) {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        byte b = message.get();
        value |= (long) (b & 0x7f) << shift;
        if (b >= 0) {
          return value;
        }
      }
      throw new CheckpointException(file + ": has a number of more than 64 bits");
    }
  }
}
