package dev.lmm.core.text.template;

import java.util.BitSet;

/** Joins many texts. */
final class TextBuilder {
  private final StringBuilder value = new StringBuilder();
  private final BitSet data = new BitSet();

  void add(Text text) {
    if ((long) value.length() + text.length() > Text.LONGEST) {
      throw new TemplateFailure("the text grows beyond " + Text.LONGEST + " characters");
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.isData(i)) {
        data.set(value.length() + i);
      }
    }
    value.append(text.value());
  }

  Text text() {
    return Text.of(value.toString(), data);
  }
}
