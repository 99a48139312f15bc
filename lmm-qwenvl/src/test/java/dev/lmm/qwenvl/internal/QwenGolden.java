package dev.lmm.qwenvl.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.Model;
import dev.lmm.Models;
import dev.lmm.Video;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A tiny checkpoint on an engine, with what transformers computes from it. */
public final class QwenGolden implements AutoCloseable {
  /** Where pictures and videos of all checkpoints lie. */
  public static final Path ROOT = Path.of("../lmm-qwenvl/src/test/resources/golden");

  final Json json;
  final Model loaded;
  final QwenModel model;
  private final CheckpointWeights tensors;

  public QwenGolden(String name, String engine) {
    Path folder = ROOT.resolve(name);
    json = Json.parse(folder.resolve("golden.json"));
    tensors = CheckpointWeights.ofSafetensors(name, List.of(folder.resolve("golden.safetensors")));
    loaded = Models.model(folder.toString()).engine(engine).load();
    model = ((QwenModel.Role) loaded.chat()).model();
  }

  static Image picture(String name) {
    return Image.read(ROOT.resolve("media").resolve(name + ".png"));
  }

  private static Video video(Json json, String name) {
    try (Stream<Path> files = Files.list(ROOT.resolve("media").resolve(name))) {
      List<Image> frames = files.sorted().map(Image::read).toList();
      return Video.of(frames, json.at("videos").at(name).doubleAt("fps"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<Json> cases() {
    return json.at("cases").elements();
  }

  Video video(String name) {
    return video(json, name);
  }

  /** A picture or video as a question brings it. */
  Seen seen(String name) {
    return seen(model, json, name);
  }

  private static Seen seen(QwenModel model, Json json, String name) {
    var request = model.ask("a");
    boolean video = json.at("videos").has(name);
    request = video ? request.video(video(json, name)) : request.image(picture(name));
    return model.message(request).seen().get(0);
  }

  List<Message> messages(Json one) {
    return messages(model, json, one);
  }

  /** The conversation of a golden. */
  static List<Message> messages(QwenModel model, Json json, Json one) {
    List<Message> messages = new ArrayList<>();
    for (Json message : one.at("messages").elements()) {
      Json content = message.at("content");
      List<Seen> seen = new ArrayList<>();
      String text = content.isString() ? content.string() : "";
      if (content.isArray()) {
        for (Json part : content.elements()) {
          if (part.stringAt("type").equals("text")) {
            text = part.stringAt("text");
          } else {
            seen.add(seen(model, json, part.stringAt("name")));
          }
        }
      }
      messages.add(new Message(message.stringAt("role"), text, List.copyOf(seen)));
    }
    return messages;
  }

  boolean has(String tensor) {
    return tensors.shape(tensor) != null;
  }

  ByteBuffer bytes(String tensor) {
    return tensors.map(tensor, 0, (int) tensors.locate(tensor).length());
  }

  float[] floats(String tensor) {
    ByteBuffer bytes = bytes(tensor);
    float[] values = new float[bytes.remaining() / 4];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /** Fails unless all numbers are within the tolerance; NaN never is. */
  static void assertClose(String what, float[] found, float[] expected, double tolerance) {
    assertThat(found).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      double difference = Math.abs((double) found[i] - expected[i]);
      if (!(difference <= tolerance)) {
        assertThat(found[i]).as("%s [%d]", what, i).isEqualTo(expected[i]);
      }
    }
  }

  @Override
  public void close() {
    loaded.close();
    tensors.close();
  }
}
