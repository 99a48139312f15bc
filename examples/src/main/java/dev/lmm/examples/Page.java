package dev.lmm.examples;

import dev.lmm.Image;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** A page with pictures and a table, and a folder it goes to. Whatever a model says is escaped. */
final class Page {
  private final Path folder;
  private final StringBuilder html = new StringBuilder();

  Page(Path folder, String title) {
    this.folder = folder;
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    html.append("<!doctype html><html><head><meta charset=\"utf-8\"><title>")
        .append(escaped(title))
        .append(
            "</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem"
                + " auto;padding:0 1rem}img{max-width:100%;max-height:16rem;margin:0 .5rem .5rem 0}"
                + "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:.3rem .6rem;"
                + "text-align:left;vertical-align:top}figure{display:inline-block;margin:0}"
                + "</style></head><body><h1>")
        .append(escaped(title))
        .append("</h1>\n");
  }

  Page text(String text) {
    html.append("<p>").append(escaped(text)).append("</p>\n");
    return this;
  }

  /** Saves a picture beside the page and shows it. */
  Page picture(Image picture, String name, String caption) {
    picture.save(folder.resolve(name));
    html.append("<figure><img src=\"")
        .append(escaped(name))
        .append("\" alt=\"")
        .append(escaped(caption))
        .append("\"><figcaption>")
        .append(escaped(caption))
        .append("</figcaption></figure>\n");
    return this;
  }

  Page table(String... heads) {
    html.append("<table>");
    return cells("th", (Object[]) heads);
  }

  /** A row of the table; numbers with a fraction are told to two places. */
  Page row(Object... cells) {
    return cells("td", cells);
  }

  private Page cells(String tag, Object... cells) {
    html.append("<tr>");
    for (Object cell : cells) {
      String told = cell instanceof Double number ? number(number) : cell.toString();
      html.append('<').append(tag).append('>').append(escaped(told));
      html.append("</").append(tag).append('>');
    }
    html.append("</tr>\n");
    return this;
  }

  Page endTable() {
    html.append("</table>\n");
    return this;
  }

  /** Writes the page and says where. */
  void write() {
    Path file = folder.resolve("index.html");
    try {
      Files.writeString(file, html + "</body></html>\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    System.out.println(file);
  }

  static String number(double number) {
    return String.format(Locale.ROOT, "%.2f", number);
  }

  private static String escaped(String raw) {
    return raw.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
