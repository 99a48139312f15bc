package dev.lmm.fuzz;

import dev.lmm.core.text.TextStream;
import dev.lmm.core.text.Tokenizer;
import dev.lmm.core.text.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A tokenizer's files, read and used. The first letter says which: tokenizer.json for chat ({@code
 * C}), the same for captions ({@code J}), SigLIP's and T5's spiece.model ({@code G}, {@code S}),
 * tokenizer.model of Llama and of no known class ({@code B}, {@code M}), vocab.txt ({@code V}),
 * vocab.json and merges.txt of CLIP, Qwen2 and GPT-2 ({@code L}, {@code Q}, {@code P}; parted by a
 * byte 0), tokenizer_config.json and vocab.txt ({@code X}, likewise).
 */
final class TokenizerTarget implements Target {
  private static final String TEXT =
      "Hello world, \ud55c\uad6d\uc5b4 abab \ud83d\udc69\u200d\ud83d\ude80 e\u0301 <|im_end|> </s>\n\t123  x";

  private final Path folder = Seeds.work("tokenizer");

  @Override
  public void read(byte[] input) {
    if (input.length == 0) {
      return;
    }
    clear();
    int zero = 1;
    while (zero < input.length && input[zero] != 0) {
      zero++;
    }
    int rest = Math.min(zero + 1, input.length);
    boolean chat = false;
    switch (input[0]) {
      case 'C', 'J' -> {
        put("tokenizer.json", input, 1, input.length);
        chat = input[0] == 'C';
      }
      case 'G' -> {
        put("spiece.model", input, 1, input.length);
        put("tokenizer_config.json", "{\"tokenizer_class\":\"SiglipTokenizer\"}");
      }
      case 'S' -> put("spiece.model", input, 1, input.length);
      case 'B' -> {
        put("tokenizer.model", input, 1, input.length);
        put(
            "tokenizer_config.json",
            "{\"tokenizer_class\":\"LlamaTokenizer\",\"add_bos_token\":true}");
        chat = true;
      }
      case 'M' -> {
        put("tokenizer.model", input, 1, input.length);
        chat = true;
      }
      case 'V' -> put("vocab.txt", input, 1, input.length);
      case 'L', 'Q', 'P' -> {
        put("vocab.json", input, 1, zero);
        put("merges.txt", input, rest, input.length);
        String owner =
            input[0] == 'L'
                ? "CLIPTokenizer"
                : input[0] == 'Q' ? "Qwen2Tokenizer" : "GPT2Tokenizer";
        put("tokenizer_config.json", "{\"tokenizer_class\":\"" + owner + "\"}");
        chat = input[0] == 'Q';
      }
      case 'X' -> {
        put("tokenizer_config.json", input, 1, zero);
        put("vocab.txt", input, rest, input.length);
      }
      default -> {
        return;
      }
    }
    try (Tokenizer tokenizer =
        chat ? Tokenizers.loadForChat(folder) : Tokenizers.load(folder, input[0] == 'J')) {
      use(tokenizer, chat);
    }
  }

  private static void use(Tokenizer tokenizer, boolean chat) {
    int[] ids = tokenizer.encode(TEXT, true).ids();
    tokenizer.decode(ids, false);
    TextStream stream = tokenizer.stream(true);
    for (int i = 0; i < Math.min(ids.length, 50); i++) {
      stream.accept(ids[i]);
      byte[] ignored = tokenizer.bytes(ids[i]);
      if (ignored != null && ignored.length > 1 << 20) {
        throw new IllegalStateException("token " + ids[i] + " has " + ignored.length + " bytes");
      }
    }
    if (chat) {
      tokenizer.encodePlain(TEXT);
    }
    tokenizer.addedTokens();
  }

  private void clear() {
    for (String name :
        List.of(
            "tokenizer.json",
            "tokenizer_config.json",
            "spiece.model",
            "tokenizer.model",
            "vocab.txt",
            "vocab.json",
            "merges.txt")) {
      try {
        Files.deleteIfExists(folder.resolve(name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void put(String name, byte[] bytes, int from, int to) {
    Seeds.write(folder.resolve(name), bytes, Math.min(from, to), to);
  }

  private void put(String name, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    put(name, bytes, 0, bytes.length);
  }

  // Seeds.

  private static final String JSON =
      """
      {"version":"1.0","truncation":null,"padding":null,
      "added_tokens":[{"id":9,"content":"<|im_end|>","single_word":false,"lstrip":false,
      "rstrip":false,"normalized":false,"special":true}],
      "normalizer":%s,"pre_tokenizer":%s,"post_processor":%s,"decoder":%s,"model":%s}""";
  private static final String BPE =
      """
      {"type":"BPE","dropout":null,"unk_token":"?","continuing_subword_prefix":"",
      "end_of_word_suffix":"","fuse_unk":false,"byte_fallback":true,
      "vocab":{"?":0,"a":1,"b":2,"ab":3,"<0x41>":4,"H":5},"merges":[["a","b"]]}""";
  private static final String UNIGRAM =
      """
      {"type":"Unigram","unk_id":0,"byte_fallback":false,
      "vocab":[["<unk>",0.0],["\u2581",-1.5],["a",-2.0],["ab",-1.0],["Hello",-3.0]]}""";
  private static final String WORDPIECE =
      """
      {"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
      "max_input_chars_per_word":100,"vocab":{"[UNK]":0,"hello":1,"##lo":2,"a":3,"##b":4}}""";
  private static final String WORDLEVEL =
      """
      {"type":"WordLevel","unk_token":"?","vocab":{"?":0,"Hello":1,"world":2}}""";

  private static byte[] json(
      char tag, String n, String pre, String post, String dec, String model) {
    return Seeds.tagged(tag, JSON.formatted(n, pre, post, dec, model));
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    seeds.add(json('J', "null", "null", "null", "null", BPE));
    seeds.add(
        json(
            'C',
            "{\"type\":\"NFC\"}",
            """
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":
            "(?i:'s|'t)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}|\\\\s+(?!\\\\S)|\\\\s+"},
            "behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,
            "trim_offsets":false,"use_regex":false}]}""",
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":false}",
            "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":false,\"use_regex\":false}",
            BPE.replace("\"unk_token\":\"?\"", "\"unk_token\":null")));
    seeds.add(
        json(
            'J',
            """
            {"type":"Sequence","normalizers":[{"type":"Lowercase"},{"type":"Replace","pattern":
            {"String":"x"},"content":"y"},{"type":"Strip","strip_left":true,"strip_right":true},
            {"type":"Prepend","prepend":"a"},{"type":"NFKC"},{"type":"StripAccents"}]}""",
            "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\",\"split\":true}",
            """
            {"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},
            {"SpecialToken":{"id":"<|im_end|>","type_id":0}}],"pair":[{"Sequence":{"id":"A",
            "type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<|im_end|>":
            {"id":"<|im_end|>","ids":[9],"tokens":["<|im_end|>"]}}}""",
            """
            {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},
            "content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ",
            "start":1,"stop":0}]}""",
            UNIGRAM));
    seeds.add(
        json(
            'J',
            """
            {"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,
            "strip_accents":null,"lowercase":true}""",
            "{\"type\":\"BertPreTokenizer\"}",
            "{\"type\":\"BertProcessing\",\"sep\":[\"a\",3],\"cls\":[\"a\",3]}",
            "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}",
            WORDPIECE));
    seeds.add(
        json(
            'J',
            "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAAAAAAAAAAAAYWIA\"}",
            """
            {"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Digits",
            "individual_digits":true},{"type":"Punctuation","behavior":"Isolated"},
            {"type":"UnicodeScripts"},{"type":"CharDelimiterSplit","delimiter":"-"}]}""",
            "{\"type\":\"RobertaProcessing\",\"sep\":[\"?\",0],\"cls\":[\"?\",0],\"trim_offsets\":true,\"add_prefix_space\":true}",
            "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}",
            WORDLEVEL));
    seeds.add(Seeds.tagged('G', pieces(1)));
    seeds.add(Seeds.tagged('S', pieces(1)));
    seeds.add(Seeds.tagged('M', pieces(1)));
    seeds.add(Seeds.tagged('M', pieces(2)));
    seeds.add(Seeds.tagged('B', pieces(2)));
    seeds.add(Seeds.tagged('V', "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n##lo\na\n##b\n"));
    seeds.add(
        Seeds.tagged(
            'X',
            """
            {"tokenizer_class":"BertTokenizer","do_lower_case":true,"unk_token":"[UNK]",
            "added_tokens_decoder":{"9":{"content":"<x>","single_word":false,"lstrip":false,
            "rstrip":false,"normalized":false,"special":true}}}\0[PAD]
            [UNK]
            [CLS]
            [SEP]
            [MASK]
            hello
            ##lo
            """));
    String vocabulary =
        "{\"a\":0,\"b\":1,\"a</w>\":2,\"ab\":3,\"ab</w>\":4,\"<|startoftext|>\":5,"
            + "\"<|endoftext|>\":6,\"</s>\":7,\"<pad>\":8}\0#version: 0.2\na b\na b</w>\n";
    for (char tag : new char[] {'L', 'Q', 'P'}) {
      seeds.add(Seeds.tagged(tag, vocabulary));
    }
    return seeds;
  }

  /** A small sentencepiece model: unigram (1) or BPE (2). */
  private static byte[] pieces(int type) {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    String[] names = {
      "<pad>", "</s>", "<unk>", "\u2581", "a", "ab", "\u2581hello", "e", "b", "<s>", "<0x41>"
    };
    int[] types = {3, 3, 2, 1, 1, 1, 1, 1, 1, 3, 6};
    for (int i = 0; i < names.length; i++) {
      byte[] text = names[i].getBytes(StandardCharsets.UTF_8);
      ByteBuffer piece = ByteBuffer.allocate(9 + text.length).order(ByteOrder.LITTLE_ENDIAN);
      piece.put((byte) 0x0a).put((byte) text.length).put(text);
      piece.put((byte) 0x15).putFloat(-i).put((byte) 0x18).put((byte) types[i]);
      message(model, 1, piece.array());
    }
    // The trainer's settings: the kind, bytes for rare characters, the ids of the special pieces.
    message(
        model,
        2,
        new byte[] {
          0x18,
          (byte) type,
          (byte) 0x98,
          2,
          1,
          (byte) 0xc0,
          2,
          2,
          (byte) 0xd0,
          2,
          1,
          (byte) 0xd8,
          2,
          0
        });
    // The normalizer's: name, and which blanks it removes.
    message(model, 3, new byte[] {0x0a, 2, 'n', 'f', 0x18, 1, 0x20, 1, 0x28, 1});
    return model.toByteArray();
  }

  private static void message(ByteArrayOutputStream out, int field, byte[] content) {
    out.write(field << 3 | 2);
    out.write(content.length);
    out.writeBytes(content);
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
        "-1",
        "0",
        "4294967296",
        "1e309",
        "NaN",
        "\\ud800",
        "\\u0000",
        "\"Regex\"",
        "\"String\"",
        "(a|a)*",
        "(?>a+)+",
        "\\\\p{L}+",
        "a{1,1000}",
        "(?=a)",
        "\"byte_fallback\":true",
        "\"ignore_merges\":true",
        "\"fuse_unk\":true",
        "{\"type\":\"ByteLevel\"}",
        "{\"type\":\"FixedLength\",\"length\":1}",
        "{\"type\":\"CTC\",\"pad_token\":\"a\",\"word_delimiter_token\":\"b\",\"cleanup\":true}",
        "\"</w>\"",
        "##",
        "\u0000",
        "\n",
        "\u00ff\u00ff\u00ff\u00ff\u000f",
        "\u00ed\u00a0\u0080");
  }
}
