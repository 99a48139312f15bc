package dev.lmm.fuzz;

import dev.lmm.core.text.template.ChatTemplate;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A chat template, parsed and rendered with a conversation. Loops end after a five hundredth of the
 * steps that a template may take, for one input in 256 (by its bytes) after all of them.
 */
final class TemplateTarget implements Target {
  private static final Map<String, Object> VARIABLES =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "system", "content", "Be brief."),
              Map.of(
                  "role",
                  "user",
                  "content",
                  List.of(Map.of("type", "image"), Map.of("type", "text", "text", "What is it?"))),
              Map.of("role", "assistant", "content", "A cat <|im_end|>"),
              Map.of("role", "user", "content", "Where?")),
          "add_generation_prompt",
          true,
          "bos_token",
          "<s>",
          "eos_token",
          "</s>");
  private static final int FEWER_STEPS = 10_000;
  private static final Clock CLOCK = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);

  @Override
  public void read(byte[] input) {
    ChatTemplate template =
        ChatTemplate.parse("template", new String(input, StandardCharsets.UTF_8)).clock(CLOCK);
    (Arrays.hashCode(input) % 256 == 0 ? template : template.steps(FEWER_STEPS)).render(VARIABLES);
  }

  @Override
  public List<byte[]> seeds() {
    List<byte[]> seeds =
        new ArrayList<>(
            Seeds.folder(
                "lmm-core/src/test/resources/golden/templates",
                6000,
                name -> name.endsWith(".jinja")));
    for (String each :
        List.of(
            "{% for m in messages %}{{ m.role ~ ': ' ~ m['content'] }}{% endfor %}",
            "{% set ns = namespace(n=0) %}{% for i in range(9) %}{% set ns.n = ns.n + i %}{% endfor"
                + " %}{{ ns.n }}",
            "{% macro m(a, b=2) %}{{ a|upper }}{{ b }}{% endmacro %}{{ m('x') }}{{ m(1, b=3) }}",
            "{{ messages[-1:][0].content|trim|length }}{{ 'a' if 1 is defined else 'b' }}",
            "{{ messages|tojson(indent=2) }}{{ strftime_now('%Y-%m-%d') }}",
            "{{ raise_exception('no') }}",
            "{%- if not add_generation_prompt and true or 'a' in 'abc' -%} x {%- elif 3 // 2 == 1"
                + " -%} y {%- else -%} z {%- endif -%}")) {
      seeds.add(each.getBytes(StandardCharsets.UTF_8));
    }
    return seeds;
  }

  @Override
  public List<String> words() {
    return List.of(
        "{%",
        "%}",
        "{{",
        "}}",
        "{#",
        "#}",
        "{%-",
        "-%}",
        "for i in range(100000000)",
        "endfor",
        "if",
        "endif",
        "else",
        "set x = ",
        "macro m(x)",
        "endmacro",
        "m(m)",
        "break",
        "continue",
        "|join(messages)",
        "|tojson",
        "|indent(1000000)",
        "|replace('', 'aaaaaaaa')",
        "|map(attribute='a')",
        "|selectattr('role','equalto','user')",
        "|list",
        "|length",
        "|items",
        ".split('')",
        ".strip()",
        ".items()",
        " * 1000000",
        " ~ ",
        "**",
        "//",
        "%",
        "is defined",
        "not ",
        "namespace(",
        "loop.index",
        "loop.previtem",
        "messages",
        "[::-1]",
        "((((((((((((((((",
        "[[[[[[[[[[[[[[[[",
        "9223372036854775807",
        "1e308",
        "'",
        "\"");
  }
}
