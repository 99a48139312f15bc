package dev.lmm.site;

import java.util.Map;
import org.commonmark.node.Block;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.Node;
import org.jspecify.annotations.Nullable;

/** What the search looks through: each section of each page, as a script that any browser loads. */
final class SearchIndex {
  private final StringBuilder script = new StringBuilder("window.LMM_INDEX=[\n");

  void add(Page page, String address) {
    @Nullable String anchor = null;
    String title = page.title();
    StringBuilder text = new StringBuilder();
    var anchors = page.headings().keySet().iterator();
    for (Node node = page.document().getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading heading) {
        entry(page, title, address, anchor, text);
        anchor = anchors.next();
        title = Page.text(heading);
        text.setLength(0);
      } else if (node instanceof FencedCodeBlock code) {
        text.append(code.getLiteral()).append(' ');
      } else if (node instanceof Block) {
        text.append(words(node)).append(' ');
      }
    }
    entry(page, title, address, anchor, text);
  }

  private static String words(Node node) {
    StringBuilder text = new StringBuilder();
    for (Node child = node.getFirstChild(); child != null; child = child.getNext()) {
      text.append(child instanceof Block ? words(child) : Page.text(child));
      text.append(child instanceof Block ? " " : "");
    }
    return text.toString();
  }

  private void entry(
      Page page, String title, String address, @Nullable String anchor, StringBuilder text) {
    if (anchor == null && text.isEmpty()) {
      return;
    }
    script
        .append('[')
        .append(quoted(page.title()))
        .append(',')
        .append(quoted(title))
        .append(',')
        .append(quoted(address + (anchor == null ? "" : "#" + anchor)))
        .append(',')
        .append(quoted(text.toString().replaceAll("\\s+", " ").strip()))
        .append("],\n");
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    Map<Character, String> escapes = Map.of('"', "\\\"", '\\', "\\\\", '\n', " ", '<', "\\u003c");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      quoted.append(c < ' ' ? " " : escapes.getOrDefault(c, String.valueOf(c)));
    }
    return quoted.append('"').toString();
  }

  String script() {
    return script + "];\n";
  }
}
