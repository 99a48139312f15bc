package dev.lmm.diffusion.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import dev.lmm.GenerateRequest;
import dev.lmm.Generator;
import dev.lmm.Image;
import dev.lmm.InvalidRequestException;
import dev.lmm.Lora;
import dev.lmm.Models;
import dev.lmm.core.checkpoint.CheckpointFiles;
import dev.lmm.core.checkpoint.CheckpointWeights;
import dev.lmm.core.engine.CompileOptions;
import dev.lmm.core.engine.Engines;
import dev.lmm.core.engine.Program;
import dev.lmm.core.engine.Tensor;
import dev.lmm.core.graph.Graph;
import dev.lmm.core.graph.WeightUsage;
import dev.lmm.core.json.Json;
import dev.lmm.diffusion.internal.lora.LdmNames;
import dev.lmm.diffusion.internal.lora.LoraBranches;
import dev.lmm.diffusion.internal.lora.LoraLayers;
import dev.lmm.diffusion.internal.lora.Loras;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters against diffusers and peft; reference/lora_goldens.py. */
class LoraTest {
  private static final Path FILES = Goldens.FOLDER.resolve("lora");

  @TempDir Path folder;

  private static GenerateRequest request(Generator generator, Json one) {
    return generator
        .generate(one.stringAt("prompt"))
        .steps(one.intAt("steps"))
        .guidance(one.doubleAt("guidance"))
        .seed(one.longAt("seed"))
        .size(one.intAt("width"), one.intAt("height"))
        .scheduler(one.stringAt("scheduler"));
  }

  private static GenerateRequest adapted(GenerateRequest request, Json one) {
    for (Json lora : one.at("loras").elements()) {
      request = request.lora(FILES.resolve(lora.stringAt("file")), lora.doubleAt("scale"));
    }
    return request;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl"})
  void picturesEqualWithinOneLevelAndLeaveNoTrace(String pipeline) {
    List<String> wrong = new ArrayList<>();
    int index = 0;
    try (CheckpointWeights golden = Goldens.open("lora");
        Generator generator =
            Models.generator(Goldens.FOLDER.resolve(pipeline)).engine("onnx").load()) {
      List<Json> cases = Json.parse(FILES.resolve("golden.json")).at("cases").elements();
      byte[] before = request(generator, cases.get(0)).run().get(0).image().rgb();
      for (Json one : cases) {
        String name = "picture." + index++;
        if (one.stringAt("pipeline").equals(pipeline)) {
          Image made = adapted(request(generator, one), one).run().get(0).image();
          int worst = Goldens.levels(made, golden, name);
          if (worst > 1) {
            wrong.add(name + " differs by " + worst + ": " + one.raw());
          }
        }
      }
      byte[] after = request(generator, cases.get(0)).run().get(0).image().rgb();
      assertThat(Arrays.equals(before, after)).as("the picture without adapters").isTrue();
    }
    assertThat(wrong).isEmpty();
  }

  /** The layers of a pipeline's UNet and first text encoder, as loading finds them. */
  private static LoraLayers layers(UnetConfig unet, Map<String, Graph> graphs) {
    return new LoraLayers(
        graphs, new LdmNames(unet.downAttends(), unet.upAttends(), unet.layers()));
  }

  @ParameterizedTest
  @CsvSource({"sd15,onnx", "sd15,reference", "sdxl,onnx", "sdxl,reference"})
  void tensorsEqual(String pipeline, String engine) {
    Path root = Goldens.FOLDER.resolve(pipeline);
    UnetConfig config = UnetConfig.of(Json.parse(root.resolve("unet/config.json")));
    TextEncoderConfig text =
        TextEncoderConfig.of(Json.parse(root.resolve("text_encoder/config.json")), false);
    try (CheckpointWeights golden = Goldens.open("lora");
        CheckpointWeights given = Goldens.open(pipeline);
        CheckpointWeights unet = CheckpointFiles.open(root.resolve("unet"));
        CheckpointWeights encoder = CheckpointFiles.open(root.resolve("text_encoder"))) {
      Tensor sample = Goldens.tensor(given, "unet.1.sample");
      int h = (int) sample.dim(2);
      int w = (int) sample.dim(3);
      Map<String, Graph> plain = new LinkedHashMap<>();
      plain.put("unet", UnetGraph.of(config, new WeightUsage(unet, "config"), h, w));
      plain.put(
          "text_encoder",
          TextEncoderGraph.of(text, "text_encoder", new WeightUsage(encoder, "config"), false));
      if (pipeline.equals("sdxl")) {
        TextEncoderConfig second =
            TextEncoderConfig.of(Json.parse(root.resolve("text_encoder_2/config.json")), true);
        plain.put(
            "text_encoder_2",
            TextEncoderGraph.of(
                second,
                "x",
                new WeightUsage(dev.lmm.core.graph.WeightSource.anything(), "x"),
                false));
      }
      Path file = FILES.resolve(pipeline + "-peft.safetensors");
      Map<String, LoraBranches> branches =
          new Loras(layers(config, plain)).of(List.of(new Lora(file, 1)));
      LoraBranches own = branches.get("unet");
      Map<String, Tensor> inputs = new HashMap<>(own.inputs());
      inputs.put("sample", sample);
      inputs.put("context", Goldens.tensor(given, "unet.1.context"));
      int width = config.channels().get(0);
      double time = Goldens.tensor(given, "unet.1.time").toFloats()[0];
      inputs.put("time", Tensor.of(Unet.waves(config, time, width), 1, width));
      if (pipeline.equals("sdxl")) {
        inputs.put("added", DiffusionParity.added(config, given, "unet.1."));
      }
      Graph graph = UnetGraph.of(config, new WeightUsage(unet, "config", own.ranks()), h, w);
      Goldens.close(
          run(engine, graph, unet, inputs).get("noise"),
          Goldens.tensor(golden, pipeline + ".noise"),
          "noise");

      own = branches.get("text_encoder");
      inputs = new HashMap<>(own.inputs());
      inputs.put("ids", Goldens.tensor(given, "text_encoder.ids"));
      graph =
          TextEncoderGraph.of(
              text, "text_encoder", new WeightUsage(encoder, "config", own.ranks()), false);
      Goldens.close(
          run(engine, graph, encoder, inputs).get("normed.3"),
          Goldens.tensor(golden, pipeline + ".text"),
          "text");
    }
  }

  private static Map<String, Tensor> run(
      String engine, Graph graph, CheckpointWeights weights, Map<String, Tensor> inputs) {
    try (Program program = Engines.choose(engine).compile(graph, weights, CompileOptions.DEFAULT)) {
      return program.run(inputs);
    }
  }

  /** What a file with one layer under these names makes of a text; the same for all names. */
  @Test
  void everySpellingMeansTheSameLayer() throws Exception {
    String q = "mid_block.attentions.0.transformer_blocks.0.attn1.";
    String under = "lora_unet_" + q.replace('.', '_');
    String ldm = "middle_block.1.transformer_blocks.0.attn1.";
    List<String[]> names =
        List.of(
            new String[] {"unet." + q + "to_out.0.lora_A.weight", "lora_B"},
            new String[] {"unet." + q + "to_out.0.lora_A.default.weight", "lora_B"},
            new String[] {q + "to_out.0.lora_A.weight", "lora_B"},
            new String[] {"base_model.model." + q + "to_out.0.lora_A.weight", "lora_B"},
            new String[] {"unet." + q + "to_out.0.lora.down.weight", "up"},
            new String[] {"unet." + q + "processor.to_out_lora.down.weight", "up"},
            new String[] {q + "processor.to_out_lora.down.weight", "up"},
            new String[] {under + "to_out_0.lora_down.weight", "up"},
            new String[] {"lora_unet_" + ldm.replace('.', '_') + "to_out_0.lora_down.weight", "up"},
            new String[] {"diffusion_model." + ldm + "to_out.0.lora_A.weight", "lora_B"});
    same("unet", names);
    String t = "encoder.layers.1.self_attn.";
    String te = "lora_te_text_model_" + t.replace('.', '_');
    same(
        "text_encoder",
        List.of(
            new String[] {"text_encoder.text_model." + t + "out_proj.lora_A.weight", "lora_B"},
            new String[] {"text_encoder." + t + "out_proj.lora_A.weight", "lora_B"},
            new String[] {
              "text_encoder.text_model." + t + "out_proj.lora_linear_layer.down.weight", "up"
            },
            new String[] {"text_encoder.text_model." + t + "to_out_lora.down.weight", "up"},
            new String[] {te + "out_proj.lora_down.weight", "up"},
            new String[] {te.replace("te_", "te1_") + "out_proj.lora_down.weight", "up"}));
  }

  /** Each file with one layer adds the same to the one layer. */
  private void same(String part, List<String[]> names) throws Exception {
    Path root = Goldens.FOLDER.resolve("sd15");
    float[] numbers = new float[64];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) Math.sin(i * i);
    }
    UnetConfig config = UnetConfig.of(Json.parse(root.resolve("unet/config.json")));
    TextEncoderConfig text =
        TextEncoderConfig.of(Json.parse(root.resolve("text_encoder/config.json")), false);
    try (CheckpointWeights unet = CheckpointFiles.open(root.resolve("unet"));
        CheckpointWeights encoder = CheckpointFiles.open(root.resolve("text_encoder"))) {
      WeightUsage ofText = new WeightUsage(encoder, "config");
      LoraLayers layers =
          layers(
              config,
              Map.of(
                  "unet", UnetGraph.of(config, new WeightUsage(unet, "config"), 8, 8),
                  "text_encoder", TextEncoderGraph.of(text, "text_encoder", ofText, false)));
      Map<String, Integer> first = null;
      for (String[] name : names) {
        String down = name[0];
        String up =
            name[1].equals("up") ? down.replace("down", "up") : down.replace("lora_A", "lora_B");
        Path file = folder.resolve("lora.safetensors");
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put(down, Tensor.of(numbers, 2, 32));
        tensors.put(up, Tensor.of(numbers, 32, 2));
        Goldens.write(file, tensors);
        Map<String, LoraBranches> found = new Loras(layers).of(List.of(new Lora(file, 2)));
        assertThat(found).as(down).containsOnlyKeys(part);
        LoraBranches branches = found.get(part);
        first = first == null ? branches.ranks() : first;
        assertThat(branches.ranks()).as(down).hasSize(1).isEqualTo(first);
        String weight = branches.ranks().keySet().iterator().next();
        assertThat(branches.inputs().get(WeightUsage.downInput(weight)).toFloats())
            .as(down)
            .isEqualTo(numbers);
        assertThat(branches.inputs().get(WeightUsage.upInput(weight)).toFloats()[1])
            .as(down)
            .isEqualTo(2 * numbers[1]);
      }
    }
  }

  private static Generator generator() {
    return Models.generator(Goldens.FOLDER.resolve("sd15")).engine("onnx").load();
  }

  @Test
  void scalesNeedNoOtherProgramAndZeroDoesNothing() {
    try (Generator generator = generator()) {
      GenerateRequest request = generator.generate("a").steps(1);
      Path file = FILES.resolve("sd15-peft.safetensors");
      byte[] without = request.run().get(0).image().rgb();
      byte[] zero = request.lora(file, 0).run().get(0).image().rgb();
      byte[] half = request.lora(file, 0.5).lora(file, 0.5).run().get(0).image().rgb();
      byte[] one = request.lora(file).run().get(0).image().rgb();
      assertThat(Arrays.equals(without, zero)).isTrue();
      assertThat(Arrays.equals(without, one)).isFalse();
      int worst = 0;
      for (int i = 0; i < one.length; i++) {
        worst = Math.max(worst, Math.abs((one[i] & 0xFF) - (half[i] & 0xFF)));
      }
      assertThat(worst).isLessThanOrEqualTo(1);
    }
  }

  @Test
  void whatDoesNotFitIsNamed() throws Exception {
    try (Generator generator = generator()) {
      GenerateRequest request = generator.generate("a").steps(1);
      // Another model's: its text encoder, its widths.
      fails(
          request.lora(FILES.resolve("sdxl-peft.safetensors")),
          "sdxl-peft.safetensors: ",
          "keys belong to no layer of this model: ",
          "expected those of text_encoder, unet. A LoRA for another model?");
      fails(
          request.lora(FILES.resolve("sdxl-kohya.safetensors")),
          "lora_te2_text_model_encoder_layers_0_",
          "A LoRA for another model?");
      Path file = folder.resolve("a.safetensors");
      String key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k";
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      tensors.put(key + ".lora_down.weight", Tensor.of(new float[8], 2, 4));
      tensors.put(key + ".lora_up.weight", Tensor.of(new float[64], 32, 2));
      Goldens.write(file, tensors);
      fails(
          request.lora(file),
          "a.safetensors: 1 of 1 layers do not fit this model: "
              + key
              + ".lora_down.weight is [2, 4]",
          "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k reads [32] and makes 32");
      tensors.remove(key + ".lora_up.weight");
      Goldens.write(file, tensors);
      fails(request.lora(file), key + ".lora_down.weight stands without its second factor");
      tensors.put(key + ".hada_w1_a", Tensor.of(new float[1], 1));
      Goldens.write(file, tensors);
      fails(request.lora(file), "1 of 2 keys", ".hada_w1_a", "LoHa are not supported");
      Goldens.write(file, Map.of("conv.weight", Tensor.of(new float[1], 1)));
      fails(request.lora(file), "conv.weight; is this a LoRA?");
      tensors.clear();
      tensors.put(key + ".lora_down.weight", Tensor.of(new float[64], 2, 32));
      tensors.put(
          "unet." + "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight",
          Tensor.of(new float[64], 2, 32));
      Goldens.write(file, tensors);
      fails(request.lora(file), "both stand for unet.mid_block");
      Files.write(file, new byte[] {1, 2, 3});
      fails(request.lora(file), "a.safetensors: header the file has 3 bytes");
      fails(request.lora(folder.resolve("none.safetensors")), "no such file");
      assertThatThrownBy(() -> request.lora(file, Double.NaN))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("lora: scale is NaN");
      // Nothing was lost.
      assertThat(request.run()).hasSize(1);
    }
  }

  private static void fails(GenerateRequest request, String... messages) {
    var thrown = assertThatThrownBy(request::run).isInstanceOf(CheckpointException.class);
    for (String message : messages) {
      thrown.hasMessageContaining(message);
    }
  }
}
