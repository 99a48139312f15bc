package dev.lmm.fuzz;

import dev.lmm.blip2.internal.Blip2Config;
import dev.lmm.clip.internal.ClipConfig;
import dev.lmm.core.decode.GenerationConfig;
import dev.lmm.core.json.Json;
import dev.lmm.diffusion.internal.TextEncoderConfig;
import dev.lmm.diffusion.internal.UnetConfig;
import dev.lmm.diffusion.internal.VaeConfig;
import dev.lmm.diffusion.internal.scheduler.Schedulers;
import dev.lmm.qwenvl.internal.QwenConfig;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A config, as the family's reader takes it. The first letter says whose: CLIP and SigLIP ({@code
 * C}), BLIP-2 ({@code B}), Qwen2.5-VL ({@code Q}), diffusion's UNet, autoencoder, text encoder,
 * scheduler ({@code U}, {@code A}, {@code T}, {@code S}), generation_config.json ({@code G}).
 */
final class ConfigTarget implements Target {
  @Override
  public void read(byte[] input) {
    if (input.length == 0) {
      return;
    }
    byte[] content = Arrays.copyOfRange(input, 1, input.length);
    switch (input[0]) {
      case 'C' -> ClipConfig.of(json(content));
      case 'B' -> Blip2Config.of(json(content));
      case 'Q' -> QwenConfig.of(json(content));
      case 'U' -> UnetConfig.of(json(content));
      case 'A' -> VaeConfig.of(json(content));
      case 'T' -> {
        TextEncoderConfig.of(json(content), false);
        TextEncoderConfig.of(json(content), true);
      }
      case 'S' -> {
        Json scheduler = json(content);
        Schedulers.of(scheduler, Schedulers.nameOf(scheduler), null, 20, 0);
      }
      case 'G' -> GenerationConfig.of(json(content)).options();
      default -> {
        // No reader of this name.
      }
    }
  }

  private static Json json(byte[] content) {
    return Json.parse(content, "config.json");
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    for (String name : List.of("clip-openai", "clip-laion", "siglip-v1", "siglip2-naflex")) {
      seeds.add(seed('C', "lmm-clip/src/test/resources/golden/" + name + "/config.json"));
    }
    seeds.add(seed('B', "lmm-blip2/src/test/resources/golden/blip2-opt/config.json"));
    for (String name : List.of("qwen2", "qwen4", "qwen5")) {
      seeds.add(seed('Q', "lmm-qwenvl/src/test/resources/golden/" + name + "/config.json"));
    }
    for (String name : List.of("sd15", "sdxl")) {
      String folder = "lmm-diffusion/src/test/resources/golden/" + name;
      seeds.add(seed('U', folder + "/unet/config.json"));
      seeds.add(seed('A', folder + "/vae/config.json"));
      seeds.add(seed('T', folder + "/text_encoder/config.json"));
      seeds.add(seed('S', folder + "/scheduler/scheduler_config.json"));
    }
    for (String name :
        List.of(
            "DDIMScheduler",
            "DPMSolverMultistepScheduler",
            "UniPCMultistepScheduler",
            "KDPM2DiscreteScheduler",
            "LCMScheduler",
            "DEISMultistepScheduler",
            "HeunDiscreteScheduler",
            "LMSDiscreteScheduler")) {
      seeds.add(
          Seeds.tagged(
              'S',
              "{\"_class_name\":\""
                  + name
                  + "\",\"beta_start\":0.00085,\"beta_end\":0.012,\"beta_schedule\":"
                  + "\"scaled_linear\",\"num_train_timesteps\":1000,\"timestep_spacing\":"
                  + "\"trailing\",\"rescale_betas_zero_snr\":false,\"use_karras_sigmas\":true,"
                  + "\"solver_order\":2,\"prediction_type\":\"epsilon\",\"steps_offset\":1}"));
    }
    seeds.add(
        Seeds.tagged(
            'G',
            """
            {"bos_token_id":1,"eos_token_id":[2,3],"pad_token_id":0,"do_sample":true,"top_k":5,
            "top_p":0.9,"min_p":0.1,"temperature":0.7,"repetition_penalty":1.05,"num_beams":4,
            "max_new_tokens":20,"min_new_tokens":1,"no_repeat_ngram_size":2,"length_penalty":1.0,
            "early_stopping":"never"}"""));
    return seeds;
  }

  private static byte[] seed(char tag, String path) {
    return Seeds.tagged(tag, new String(Seeds.bytes(path), StandardCharsets.UTF_8));
  }

  @Override
  public List<String> words() {
    return List.of(
        "{",
        "}",
        "[",
        "]",
        "\"",
        ",",
        ":",
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "1e-308",
        "NaN",
        "Infinity",
        "0.5",
        "[]",
        "{}",
        "\"\"",
        "text_config",
        "vision_config",
        "rope_scaling",
        "rope_parameters",
        "mrope_section",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "patch_size",
        "image_size",
        "vocab_size",
        "max_position_embeddings",
        "block_out_channels",
        "num_train_timesteps",
        "beta_schedule",
        "squaredcos_cap_v2",
        "timestep_spacing",
        "solver_order",
        "sigma_max",
        "sigma_min",
        "_class_name");
  }
}
