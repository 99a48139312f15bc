package dev.lmm.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lmm.Image;
import dev.lmm.ImageException;
import dev.lmm.LmmException;
import dev.lmm.core.json.Json;
import dev.lmm.core.random.TorchGenerator;
import dev.lmm.core.text.TokenizerFixtures;
import dev.lmm.core.text.template.ChatTemplate;
import dev.lmm.core.vision.NaflexPatches;
import dev.lmm.core.vision.PictureDecoder;
import dev.lmm.core.vision.PictureGoldens;
import dev.lmm.core.vision.Preprocessing;
import dev.lmm.core.vision.Resize;
import dev.lmm.core.vision.ResizeFilter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Counts what is equal to the references and what differs, and compares docs/parity.md with it.
 *
 * <p>The test writes the page anew beside its own outputs, and says where, if they differ. Nothing
 * in it depends on the machine: whole numbers of files, pixels, lines and draws.
 */
class ParityTest {
  private static final Path PAGE = Path.of("../docs/parity.md");
  private static final Path GOLDEN = Path.of("src/test/resources/golden");

  private final StringBuilder out = new StringBuilder();

  @Test
  void thePageSaysWhatIsTrue() throws IOException {
    write("# Parity");
    write("");
    write(
        "What is equal to Pillow, transformers and torch, and what is not. `ParityTest` counts it"
            + " anew in each build and fails when this page says something else.");
    pictures();
    resizing();
    tokenizers();
    templates();
    random();
    models();
    String expected = out.toString();
    String committed = Files.exists(PAGE) ? Files.readString(PAGE) : "";
    Path written = Path.of("target/parity.md");
    Files.writeString(written, expected);
    assertThat(committed)
        .as("docs/parity.md; what it should be lies in lmm-core/%s", written)
        .isEqualTo(expected);
  }

  private void write(String line) {
    out.append(line).append('\n');
  }

  private void row(Object... cells) {
    StringBuilder line = new StringBuilder("|");
    for (Object cell : cells) {
      line.append(' ')
          .append(cell instanceof Integer n ? String.format(Locale.ROOT, "%,d", n) : cell)
          .append(" |");
    }
    write(line.toString());
  }

  private static void versions(StringBuilder out, Json json, String... names) {
    List<String> parts = new ArrayList<>();
    for (String name : names) {
      parts.add(name + " " + json.at("versions").stringAt(name));
    }
    out.append(String.join(", ", parts));
  }

  // Pictures.

  private static final class Count {
    int files;
    int equal;
    int refusedByBoth;
    int largest;
    final List<String> other = new ArrayList<>();
  }

  private void pictures() {
    write("");
    write("## Pictures");
    StringBuilder reference = new StringBuilder();
    Json golden = PictureGoldens.json("rgb.json");
    versions(reference, golden, "pillow");
    write(
        "Decoded, turned as EXIF says and converted to RGB, against "
            + reference
            + "'s `exif_transpose` and `convert(\"RGB\")`. The last column is the largest difference"
            + " of a level, over all pixels of the files kept whole.");
    write("");
    row("format", "files", "equal in every pixel", "refused by both", "otherwise", "difference");
    row("---", "---:", "---:", "---:", "---", "---:");
    Map<String, Count> counts = new TreeMap<>();
    Map<String, byte[]> whole = PictureGoldens.tensors("rgb.safetensors");
    PictureDecoder decoder = new PictureDecoder();
    Json files = golden.at("files");
    for (String name : files.keys()) {
      Json each = files.at(name);
      Count count = counts.computeIfAbsent(format(name, each), key -> new Count());
      count.files++;
      Image image;
      try {
        image = decoder.decode(PictureGoldens.FOLDER.resolve(name));
      } catch (ImageException e) {
        if (each.has("refused")) {
          count.refusedByBoth++;
        } else {
          count.other.add("`" + name.substring(name.indexOf('/') + 1) + "` is refused here");
        }
        continue;
      }
      if (each.has("refused")) {
        count.other.add("`" + name.substring(name.indexOf('/') + 1) + "` is read here");
        continue;
      }
      if (PictureGoldens.sha256(image.rgb()).equals(each.stringAt("sha256"))) {
        count.equal++;
      }
      byte[] pixels = whole.get(name);
      for (int i = 0; pixels != null && i < pixels.length; i++) {
        count.largest =
            Math.max(count.largest, Math.abs((pixels[i] & 0xFF) - (image.rgb()[i] & 0xFF)));
      }
    }
    counts.forEach(
        (format, count) ->
            row(
                format,
                count.files,
                count.equal,
                count.refusedByBoth,
                count.other.isEmpty() ? "" : String.join(", ", count.other),
                count.equal == 0 ? "" : count.largest));
    write("");
    write(
        "AVIF and HEIC need a video decoder and are refused with that reason; so are samples of 12"
            + " bits, CIE Lab and Zstandard in a TIFF, which the JDK does not read, or not in the"
            + " levels and colours that are meant. Its YCbCr it rounds otherwise, by a level. Pillow"
            + " does not know a BigTIFF in big-endian order by its first bytes.");
    write("");
    cuts(decoder);
    write("");
    write(
        "Alpha is dropped, as `convert(\"RGB\")` drops it. Laid over a colour on request, every"
            + " level with every alpha is what `alpha_composite` makes of it.");
  }

  /** Files that are cut at each tenth. */
  private void cuts(PictureDecoder decoder) {
    Json files = PictureGoldens.json("cuts.json").at("files");
    int all = 0;
    int refused = 0;
    int equal = 0;
    int first = 0;
    for (String name : files.keys()) {
      byte[] whole = PictureGoldens.bytes(PictureGoldens.FOLDER.resolve("made").resolve(name));
      List<Json> tenths = files.at(name).elements();
      for (int i = 0; i < tenths.size(); i++) {
        String wanted = tenths.get(i).string();
        String found;
        try {
          byte[] cut = Arrays.copyOf(whole, whole.length * (i + 1) / 10);
          found = PictureGoldens.sha256(decoder.decode(cut, name).rgb());
        } catch (ImageException e) {
          found = "";
        }
        all++;
        if (!found.equals(wanted)) {
          first += wanted.isEmpty() ? 1 : 0;
        } else if (found.isEmpty()) {
          refused++;
        } else {
          equal++;
        }
      }
    }
    write(
        String.format(
            Locale.ROOT,
            "%d files that end too early, each of ours cut at each tenth: %d are refused by both,"
                + " %d give both the same picture (what is missing is not needed), %d are read here"
                + " and refused there, all animations whose first frame is whole, and %d otherwise.",
            all,
            refused,
            equal,
            first,
            all - refused - equal - first));
  }

  private static String format(String name, Json each) {
    if (each.has("format")) {
      String format = each.stringAt("format");
      return format.equals("MPO") ? "JPEG" : format;
    }
    String ending = name.substring(name.lastIndexOf('.') + 1).toUpperCase(Locale.ROOT);
    return ending.equals("JPG") ? "JPEG" : ending;
  }

  // Resizing.

  private void resizing() {
    write("");
    write("## Resizing, cropping, sizes");
    Json golden = PictureGoldens.json("resize.json");
    StringBuilder reference = new StringBuilder();
    versions(reference, golden, "pillow", "transformers");
    write("Against " + reference + ".");
    write("");
    row("what", "results", "equal in every bit");
    row("---", "---:", "---:");
    Map<String, byte[]> tensors = PictureGoldens.tensors("resize.safetensors");
    Map<String, long[]> shapes = PictureGoldens.shapes("resize.safetensors");
    Map<String, int[]> counts = new LinkedHashMap<>();
    for (Json each : golden.at("cases").elements()) {
      String source = "source." + each.stringAt("source");
      int width = each.intAt("width");
      int height = each.intAt("height");
      ResizeFilter filter = ResizeFilter.valueOf(each.stringAt("filter"));
      long[] shape = shapes.get(source);
      byte[] result =
          Resize.rgb(
              tensors.get(source),
              (int) shape[1],
              (int) shape[0],
              width,
              height,
              filter,
              0,
              0,
              width,
              height);
      int[] count = counts.computeIfAbsent(filter.name(), key -> new int[2]);
      count[0]++;
      count[1] += PictureGoldens.sha256(result).equals(each.stringAt("sha256")) ? 1 : 0;
    }
    counts.forEach(
        (filter, count) -> row("resize, " + filter.toLowerCase(Locale.ROOT), count[0], count[1]));
    crops();
    sizes();
  }

  private static Preprocessing steps(int edge, int cropWidth, int cropHeight) {
    return new Preprocessing(
        edge > 0,
        0,
        0,
        edge,
        ResizeFilter.BICUBIC,
        cropWidth > 0,
        cropWidth,
        cropHeight,
        1,
        new double[3],
        new double[] {1, 1, 1});
  }

  private void crops() {
    Map<String, byte[]> tensors = PictureGoldens.tensors("crop.safetensors");
    List<Json> cases = PictureGoldens.json("crop.json").at("cases").elements();
    int equal = 0;
    for (int i = 0; i < cases.size(); i++) {
      Json each = cases.get(i);
      Image source =
          Image.ofRgb(each.intAt("width"), each.intAt("height"), tensors.get("source." + i));
      Preprocessing crop = steps(0, each.intAt("cropWidth"), each.intAt("cropHeight"));
      equal += Arrays.equals(crop.pixels(source).rgb(), tensors.get("result." + i)) ? 1 : 0;
    }
    row("centre crop, padded where the picture is too small", cases.size(), equal);
  }

  private void sizes() {
    Json sizes = PictureGoldens.json("sizes.json");
    int[] count = new int[4];
    for (Json row : sizes.at("shortestEdge").at("rows").elements()) {
      int[] r = row.ints();
      int[] found = steps(r[2], 0, 0).resizedSize(r[0], r[1]);
      count[0]++;
      count[1] += found[0] == r[3] && found[1] == r[4] ? 1 : 0;
    }
    for (Json row : sizes.at("naflex").at("rows").elements()) {
      int[] r = row.ints();
      int[] found = NaflexPatches.size(r[0], r[1], r[2], r[3]);
      count[2]++;
      count[3] += found[0] == r[4] && found[1] == r[5] ? 1 : 0;
    }
    row("size for a shortest edge", count[0], count[1]);
    row("size for a number of patches (NaFlex)", count[2], count[3]);
  }

  // Text.

  private void tokenizers() throws IOException {
    write("");
    write("## Tokenizers");
    List<String> lines = TokenizerFixtures.allLines();
    write(
        "Ids, special tokens included, of "
            + String.format(Locale.ROOT, "%,d", lines.size())
            + " lines against transformers: Korean, Chinese, Arabic and many other scripts, emoji with"
            + " joiners, combining marks, control characters, every blank, digits, code, words of"
            + " thousands of characters, nothing at all, 100 KB in one line with blanks and without. The"
            + " first 1,000 where another tokenizer has the same vocabulary in the same layout.");
    write("");
    row("tokenizer", "reference's class", "lines", "with equal ids", "decoded to equal text");
    row("---", "---", "---:", "---:", "---:");
    for (String name : TokenizerFixtures.NAMES) {
      TokenizerFixtures.Result result = TokenizerFixtures.compare(name);
      row(
          name,
          TokenizerFixtures.tokenizerClass(name),
          result.lines(),
          result.ids(),
          result.texts() < 0 ? "" : result.texts());
    }
    write("");
    write(
        "Half a surrogate pair becomes a question mark. Texts beyond 1,048,576 characters are"
            + " refused. A chat's user cannot type a control token; captions split them off where"
            + " the reference does.");
  }

  private void templates() throws IOException {
    write("");
    write("## Chat templates");
    Path folder = GOLDEN.resolve("templates");
    Json golden = Json.parse(folder.resolve("rendered.json"));
    Clock clock = Clock.fixed(Instant.parse("2025-03-14T15:09:26Z"), ZoneOffset.UTC);
    Map<String, int[]> counts = new TreeMap<>();
    Json special = golden.at("special");
    for (Json each : golden.at("cases").elements()) {
      String name = each.stringAt("template");
      int[] count = counts.computeIfAbsent(name, key -> new int[4]);
      ChatTemplate template =
          ChatTemplate.parse(name, Files.readString(folder.resolve(name))).clock(clock);
      Map<String, Object> variables = new LinkedHashMap<>();
      Json conversation = golden.at("conversations").at(each.stringAt("conversation"));
      conversation.keys().forEach(key -> variables.put(key, conversation.at(key).raw()));
      special.keys().forEach(key -> variables.put(key, special.stringAt(key)));
      boolean wanted = each.hasValue("text");
      count[wanted ? 0 : 2]++;
      try {
        boolean equal =
            template.render(variables).text().equals(wanted ? each.stringAt("text") : null);
        count[1] += equal ? 1 : 0;
      } catch (LmmException e) {
        count[3] += wanted ? 0 : 1;
      }
    }
    write("Conversations put into published templates, against transformers.");
    write("");
    row("template", "rendered", "equal", "refused by the template", "here too");
    row("---", "---:", "---:", "---:", "---:");
    counts.forEach((name, n) -> row(name.replaceFirst("\\.jinja$", ""), n[0], n[1], n[2], n[3]));
  }

  // Random numbers.

  private void random() {
    write("");
    write("## Random numbers");
    Json index = Json.parse(GOLDEN.resolve("random.json"));
    Map<String, ByteBuffer> tensors = new TreeMap<>();
    PictureGoldens.tensors(Path.of("../random.safetensors").toString())
        .forEach(
            (name, bytes) ->
                tensors.put(name, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)));
    List<Json> seeds = index.at("seeds").elements();
    List<Json> sizes = index.at("counts").elements();
    int[] counts = new int[6];
    for (int i = 0; i < seeds.size(); i++) {
      TorchGenerator generator = new TorchGenerator(seeds.get(i).asLong());
      for (ByteBuffer bits = tensors.get(i + ".bits"); bits.hasRemaining(); counts[0]++) {
        counts[1] += (generator.nextLong() & 0xFFFFFFFFL) == bits.getLong() ? 1 : 0;
      }
      generator = new TorchGenerator(seeds.get(i).asLong());
      for (ByteBuffer uniform = tensors.get(i + ".uniform"); uniform.hasRemaining(); counts[2]++) {
        counts[3] += generator.nextFloat() == uniform.getFloat() ? 1 : 0;
      }
      generator = new TorchGenerator(seeds.get(i).asLong());
      for (int j = 0; j < sizes.size(); j++) {
        ByteBuffer expected = tensors.get(i + "." + j);
        for (float drawn : generator.randn(sizes.get(j).asInt())) {
          counts[4]++;
          counts[5] += Math.abs(drawn - expected.getFloat()) <= 1e-6f ? 1 : 0;
        }
      }
    }
    write("What a seed draws, against torch's generator on the processor.");
    write("");
    row("numbers", "drawn", "equal");
    row("---", "---:", "---:");
    row("whole numbers, bit for bit", counts[0], counts[1]);
    row("between 0 and 1, bit for bit", counts[2], counts[3]);
    row("normal, within 1e-6", counts[4], counts[5]);
    write("");
    write(
        "Sampled text follows the same probabilities as transformers', and repeats itself from a"
            + " seed; but a seed gives another text than there.");
  }

  private void models() {
    write("");
    write("## Models");
    write(
        "Floats differ from machine to machine in their last digits, so they are not counted here."
            + " The families' tests compare whole tensors of small checkpoints with transformers' and"
            + " diffusers', on the interpreter and on the engines, and greedy and beam answers token"
            + " by token; their tolerances stand beside them."
            + " `reference/` has the scripts, and what each usual mistake would change:"
            + " [CLIP](../reference/mistakes-clip.md), [SigLIP](../reference/mistakes-siglip.md),"
            + " [Qwen2.5-VL](../reference/mistakes-qwenvl.md).");
    write("");
    write(
        "The reference of pictures is the processors' Pillow form (`backend=\"pil\"`). The"
            + " torchvision form, which newer versions choose where torchvision is installed, resizes"
            + " otherwise than Pillow; its pixels are not these.");
  }
}
