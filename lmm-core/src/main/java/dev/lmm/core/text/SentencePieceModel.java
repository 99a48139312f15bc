package dev.lmm.core.text;

import dev.lmm.CheckpointException;
import dev.lmm.core.json.SmallFile;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is needed of a {@code spiece.model}: a protocol buffer {@code sentencepiece.ModelProto}.
 *
 * @param pieces the vocabulary, by id
 * @param scores log-probability of each piece
 * @param matchable whether each piece is looked for in text (others stand for control tokens and
 *     the unknown)
 * @param unknown id of the unknown piece
 * @param charsMap the normaliser's precompiled table; empty for none
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record SentencePieceModel(
    List<String> pieces,
    List<Float> scores,
    List<Boolean> matchable,
    int unknown,
    byte[] charsMap) {
  private static final int UNIGRAM = 1;
  private static final int UNKNOWN_PIECE = 2;
  private static final int CONTROL_PIECE = 3;
  private static final int UNUSED_PIECE = 5;

  static SentencePieceModel read(Path file) {
    return new Reader(file).model(ByteBuffer.wrap(SmallFile.bytes(file)));
  }

  /** Walks the message; skips what is not needed. */
  private static final class Reader {
    private final Path file;
    private final List<String> pieces = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<Boolean> matchable = new ArrayList<>();
    private int unknown = -1;
    private int modelType = UNIGRAM;
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
      if (modelType != UNIGRAM) {
        throw new CheckpointException(
            file + ": trainer_spec.model_type is " + modelType + "; expected 1 (unigram)");
      }
      if (pieces.isEmpty() || unknown < 0) {
        throw new CheckpointException(
            file + ": has " + pieces.size() + " pieces; expected some, one of type UNKNOWN");
      }
      return new SentencePieceModel(
          List.copyOf(pieces), List.copyOf(scores), List.copyOf(matchable), unknown, charsMap);
    }

    private void piece(ByteBuffer message) {
      String[] text = {""};
      float[] score = {0};
      int[] type = {0};
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
              type[0] = (int) number;
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
      if (type[0] == UNKNOWN_PIECE && unknown < 0) {
        unknown = pieces.size();
      }
      matchable.add(
          type[0] != UNKNOWN_PIECE && type[0] != CONTROL_PIECE && type[0] != UNUSED_PIECE);
      pieces.add(text[0]);
      scores.add(score[0]);
    }

    private void trainer(ByteBuffer message) {
      fields(
          message,
          (field, value) -> {},
          (field, number) -> {
            if (field == 3) {
              modelType = (int) number;
            }
          });
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
