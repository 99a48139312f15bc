package dev.lmm.site;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.CustomNode;
import org.commonmark.node.Heading;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.Parser;

/**
 * A page of Markdown: its text, its headings by the anchors they have on the forge and here, and
 * where its links lead.
 *
 * @param source where it lies, below the repository's root, with slashes
 * @param document the parsed text
 * @param headings title by anchor, in order
 * @param levels level by anchor
 * @param links what its links and pictures name
 */
record Page(
    String source,
    Node document,
    Map<String, String> headings,
    Map<String, Integer> levels,
    List<String> links) {
  private static final Parser PARSER =
      Parser.builder().extensions(List.of(TablesExtension.create())).build();

  static Page read(Path root, String source) throws IOException {
    return parse(source, Files.readString(root.resolve(source)));
  }

  static Page parse(String source, String markdown) {
    Node document = PARSER.parse(markdown);
    Map<String, String> headings = new LinkedHashMap<>();
    Map<String, Integer> levels = new LinkedHashMap<>();
    List<String> links = new ArrayList<>();
    document.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Heading heading) {
            String title = text(heading);
            String anchor = anchor(title);
            for (int i = 1; headings.containsKey(anchor); i++) {
              anchor = anchor(title) + "-" + i;
            }
            headings.put(anchor, title);
            levels.put(anchor, heading.getLevel());
            visitChildren(heading);
          }

          @Override
          public void visit(Link link) {
            links.add(link.getDestination());
            visitChildren(link);
          }

          @Override
          public void visit(Image image) {
            links.add(image.getDestination());
            visitChildren(image);
          }
        });
    return new Page(source, document, headings, levels, links);
  }

  /** The first heading. */
  String title() {
    return headings.isEmpty() ? source : headings.values().iterator().next();
  }

  /** What a node says, without its marks. */
  static String text(Node node) {
    StringBuilder text = new StringBuilder();
    node.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Text part) {
            text.append(part.getLiteral());
          }

          @Override
          public void visit(Code code) {
            text.append(code.getLiteral());
          }

          @Override
          public void visit(SoftLineBreak softBreak) {
            text.append(' ');
          }

          @Override
          public void visit(CustomNode cell) {
            visitChildren(cell);
            text.append(' ');
          }
        });
    return text.toString();
  }

  /** The anchor that forges give a heading: lower case, no punctuation, hyphens for blanks. */
  static String anchor(String title) {
    StringBuilder anchor = new StringBuilder();
    title
        .strip()
        .toLowerCase(Locale.ROOT)
        .codePoints()
        .forEach(
            c -> {
              if (c == ' ') {
                anchor.append('-');
              } else if (Character.isLetterOrDigit(c) || c == '-' || c == '_') {
                anchor.appendCodePoint(c);
              }
            });
    return anchor.toString();
  }
}
