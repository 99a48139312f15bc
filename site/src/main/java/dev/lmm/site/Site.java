package dev.lmm.site;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.BulletList;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.ListItem;
import org.commonmark.node.Node;
import org.commonmark.renderer.NodeRenderer;
import org.commonmark.renderer.html.AttributeProvider;
import org.commonmark.renderer.html.HtmlNodeRendererContext;
import org.commonmark.renderer.html.HtmlRenderer;
import org.jspecify.annotations.Nullable;

/**
 * Makes a site of the repository's Markdown: pages with navigation, coloured code and a search that
 * needs no server, files that pages link to, and Javadoc beside them. The navigation is
 * docs/README.md. A link that leads nowhere ends it with a list of them.
 */
public final class Site {
  private static final String NAVIGATION = "docs/README.md";
  private static final List<String> OWN = List.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md");
  private static final List<String> TEXT =
      List.of(
          ".java",
          ".py",
          ".md",
          ".xml",
          ".properties",
          ".json",
          ".txt",
          "run",
          "LICENSE",
          "NOTICE");

  private final Path root;
  private final Path out;
  private final Map<String, Page> pages;
  private final Map<String, String> sources = new TreeMap<>();

  private Site(Path root, Path out) throws IOException {
    this.root = root;
    this.out = out;
    this.pages = pages(root);
  }

  /**
   * Makes the site.
   *
   * @param arguments the repository's root, the folder to write
   * @throws IOException if a file cannot be read or written
   */
  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0]).toAbsolutePath().normalize();
    Path out = Path.of(arguments[1]).toAbsolutePath().normalize();
    List<String> broken = make(root, out);
    if (!broken.isEmpty()) {
      broken.forEach(System.err::println);
      System.err.println(broken.size() + " links lead nowhere");
      System.exit(1);
    }
    System.out.println(out.resolve("index.html"));
  }

  /** Makes the site; gives links that lead nowhere. */
  static List<String> make(Path root, Path out) throws IOException {
    Site site = new Site(root, out);
    List<String> broken = Links.broken(root, site.pages);
    if (broken.isEmpty()) {
      site.write();
      broken = Links.brokenHtml(out);
    }
    return broken;
  }

  /** The pages that the site has, and those of the reference that they link to. */
  static Map<String, Page> pages(Path root) throws IOException {
    Map<String, Page> pages = new LinkedHashMap<>();
    Deque<String> wanted = new ArrayDeque<>(OWN);
    try (Stream<Path> files = Files.walk(root.resolve("docs"))) {
      files
          .map(file -> root.relativize(file).toString().replace('\\', '/'))
          .filter(name -> name.endsWith(".md"))
          .sorted()
          .forEach(wanted::add);
    }
    while (!wanted.isEmpty()) {
      String name = wanted.remove();
      if (pages.containsKey(name)) {
        continue;
      }
      Page page = Page.read(root, name);
      pages.put(name, page);
      for (String link : page.links()) {
        Links.Target target = Links.isOutside(link) ? null : Links.resolve(name, link);
        if (target != null
            && target.file().endsWith(".md")
            && Files.exists(root.resolve(target.file()))) {
          wanted.add(target.file());
        }
      }
    }
    return pages;
  }

  private void write() throws IOException {
    Files.createDirectories(out);
    for (String name : List.of("site.css", "site.js")) {
      try (InputStream in = Site.class.getResourceAsStream(name)) {
        if (in == null) {
          throw new IOException(name + " is not in the jar");
        }
        Files.copy(in, out.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    SearchIndex index = new SearchIndex();
    for (Page page : pages.values()) {
      write(address(page.source()), page.title(), body(page), contents(page), page.source());
      if (!page.source().equals(NAVIGATION) && !page.source().equals("CHANGELOG.md")) {
        index.add(page, address(page.source()));
      }
    }
    // Files that pages link to, and those these name: none.
    for (Map.Entry<String, String> source : sources.entrySet()) {
      writeSource(source.getKey(), source.getValue());
    }
    Files.writeString(out.resolve("search-index.js"), index.script());
  }

  // Where things are.

  /** The address of a page, below the site's root. */
  static String address(String source) {
    if (source.equals("README.md")) {
      return "index.html";
    }
    if (source.equals(NAVIGATION)) {
      return "contents.html";
    }
    String name = source.startsWith("docs/") ? source.substring(5) : source;
    return name.substring(0, name.length() - 3).toLowerCase(Locale.ROOT) + ".html";
  }

  private static String up(String address) {
    return "../".repeat((int) address.chars().filter(c -> c == '/').count());
  }

  /** What a link of a page becomes. */
  private String link(Page page, String link) {
    if (Links.isOutside(link)) {
      return link;
    }
    Links.Target target = Links.resolve(page.source(), link);
    if (target == null) {
      return link;
    }
    String anchor = target.anchor() == null ? "" : "#" + target.anchor();
    String here = up(address(page.source()));
    if (pages.containsKey(target.file())) {
      return here + address(target.file()) + anchor;
    }
    if (isPicture(target.file())) {
      try {
        Path copy = out.resolve("files").resolve(target.file());
        Files.createDirectories(copy.getParent());
        Files.copy(root.resolve(target.file()), copy, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return here + "files/" + target.file();
    }
    String address = "source/" + (target.file().isEmpty() ? "root" : target.file()) + ".html";
    sources.put(target.file(), address);
    return here + address + anchor;
  }

  private static boolean isPicture(String file) {
    return file.matches(".*\\.(png|jpg|gif|svg|webp)");
  }

  // Pages.

  private String body(Page page) {
    List<String> anchors = new ArrayList<>(page.headings().keySet());
    HtmlRenderer renderer =
        HtmlRenderer.builder()
            .extensions(List.of(TablesExtension.create()))
            .nodeRendererFactory(CodeBlocks::new)
            .attributeProviderFactory(context -> new Anchors(anchors))
            .attributeProviderFactory(context -> links(page))
            .build();
    return renderer
        .render(page.document())
        .replace("<table>", "<div class=\"wide\"><table>")
        .replace("</table>", "</table></div>");
  }

  private AttributeProvider links(Page page) {
    return (node, tag, attributes) -> {
      if (node instanceof Link link) {
        attributes.put("href", link(page, link.getDestination()));
      } else if (node instanceof Image image && tag.equals("img")) {
        attributes.put("src", link(page, image.getDestination()));
        attributes.put("loading", "lazy");
      }
    };
  }

  /** Gives headings their anchors, in order. */
  private static final class Anchors implements AttributeProvider {
    private final List<String> anchors;
    private int next;

    Anchors(List<String> anchors) {
      this.anchors = anchors;
    }

    @Override
    public void setAttributes(Node node, String tag, Map<String, String> attributes) {
      if (node instanceof Heading) {
        attributes.put("id", anchors.get(next++));
      }
    }
  }

  /** Colours fenced code. */
  private static final class CodeBlocks implements NodeRenderer {
    private final HtmlNodeRendererContext context;

    CodeBlocks(HtmlNodeRendererContext context) {
      this.context = context;
    }

    @Override
    public java.util.Set<Class<? extends Node>> getNodeTypes() {
      return java.util.Set.of(FencedCodeBlock.class);
    }

    @Override
    public void render(Node node) {
      FencedCodeBlock block = (FencedCodeBlock) node;
      String language = block.getInfo() == null ? "" : block.getInfo().strip();
      context.getWriter().line();
      context
          .getWriter()
          .raw("<pre><code>" + Highlighter.html(language, block.getLiteral()) + "</code></pre>");
      context.getWriter().line();
    }
  }

  private static String contents(Page page) {
    StringBuilder html = new StringBuilder();
    page.levels()
        .forEach(
            (anchor, level) -> {
              if (level == 2 || level == 3) {
                html.append("<a class=\"l")
                    .append(level)
                    .append("\" href=\"#")
                    .append(Html.escape(anchor));
                html.append("\">")
                    .append(Html.escape(page.headings().get(anchor)))
                    .append("</a>\n");
              }
            });
    return html.toString();
  }

  /** The navigation: headings of docs/README.md, and the pages listed below each. */
  private String navigation(String address) {
    Page page = pages.get(NAVIGATION);
    StringBuilder html = new StringBuilder();
    if (page == null) {
      return "";
    }
    for (Node node = page.document().getFirstChild(); node != null; node = node.getNext()) {
      if (node instanceof Heading heading && heading.getLevel() == 2) {
        html.append("<h2>").append(Html.escape(Page.text(heading))).append("</h2>\n");
      } else if (node instanceof BulletList list) {
        for (Node item = list.getFirstChild(); item != null; item = item.getNext()) {
          Link link = item instanceof ListItem ? firstLink(item) : null;
          if (link != null) {
            String href =
                Links.isOutside(link.getDestination())
                    ? link.getDestination()
                    : navigationTarget(link.getDestination());
            html.append("<a href=\"").append(Html.escape(up(address) + href)).append('"');
            html.append(href.equals(address) ? " class=\"here\"" : "").append('>');
            html.append(Html.escape(Page.text(link))).append("</a>\n");
          }
        }
      }
    }
    List<Page> others =
        pages.values().stream()
            .filter(other -> !listed(page, other) && other.source().startsWith("docs/"))
            .filter(other -> !other.source().equals(NAVIGATION))
            .toList();
    if (!others.isEmpty()) {
      html.append("<h2>More</h2>\n");
    }
    for (Page other : others) {
      String href = address(other.source());
      html.append("<a href=\"").append(Html.escape(up(address) + href)).append('"');
      html.append(href.equals(address) ? " class=\"here\"" : "").append('>');
      html.append(Html.escape(other.title())).append("</a>\n");
    }
    if (Files.isDirectory(out.resolve("api"))) {
      html.append("<h2>Javadoc</h2>\n");
      try (Stream<Path> folders = Files.list(out)) {
        folders
            .map(path -> path.getFileName().toString())
            .filter(name -> name.startsWith("api"))
            .sorted()
            .forEach(
                name ->
                    html.append("<a href=\"")
                        .append(up(address))
                        .append(name)
                        .append("/index.html\">")
                        .append(name.equals("api") ? "API" : name.substring(4))
                        .append("</a>\n"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return html.toString();
  }

  private static boolean listed(Page navigation, Page page) {
    return navigation.links().stream()
        .map(link -> Links.isOutside(link) ? null : Links.resolve(NAVIGATION, link))
        .anyMatch(target -> target != null && target.file().equals(page.source()));
  }

  private String navigationTarget(String link) {
    Links.Target target = Links.resolve(NAVIGATION, link);
    return target != null && pages.containsKey(target.file()) ? address(target.file()) : link;
  }

  private static @Nullable Link firstLink(Node node) {
    for (Node child = node.getFirstChild(); child != null; child = child.getNext()) {
      Link found = child instanceof Link link ? link : firstLink(child);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  private void writeSource(String file, String address) throws IOException {
    Path path = root.resolve(file);
    StringBuilder body = new StringBuilder("<h1>" + Html.escape(file) + "</h1>\n");
    if (Files.isDirectory(path)) {
      body.append("<ul>\n");
      try (Stream<Path> files = Files.list(path)) {
        files
            .map(entry -> entry.getFileName() + (Files.isDirectory(entry) ? "/" : ""))
            .filter(name -> !name.equals("target/") && !name.startsWith("."))
            .sorted()
            .forEach(
                name ->
                    body.append("<li><code>").append(Html.escape(name)).append("</code></li>\n"));
      }
      body.append("</ul>\n");
    } else if (TEXT.stream().anyMatch(file::endsWith)) {
      String language = file.substring(file.lastIndexOf('.') + 1);
      body.append("<pre><code>")
          .append(Highlighter.html(language, Files.readString(path)))
          .append("</code></pre>\n");
    } else {
      body.append("<p>").append(Files.size(path)).append(" bytes</p>\n");
    }
    write(address, file, body.toString(), "", file);
  }

  private void write(String address, String title, String body, String contents, String source)
      throws IOException {
    String up = up(address);
    String language = source.startsWith("docs/ko/") ? "ko" : "en";
    String html =
        """
        <!doctype html>
        <html lang="%s">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>%s</title>
        <link rel="stylesheet" href="%ssite.css">
        </head>
        <body data-root="%s">
        <header>
        <a class="name" href="%sindex.html">lmm</a>
        <button id="menu" aria-label="Menu">☰</button>
        <div class="search"><input id="search" type="search" placeholder="Search" aria-label="Search" \
        autocomplete="off"><div id="results"></div></div>
        </header>
        <div class="page">
        <nav id="nav">
        %s</nav>
        <main>
        %s</main>
        <aside>
        %s</aside>
        </div>
        <script src="%ssearch-index.js"></script>
        <script src="%ssite.js"></script>
        </body>
        </html>
        """
            .formatted(
                language,
                Html.escape(title.equals("lmm") ? title : title + " · lmm"),
                up,
                up,
                up,
                navigation(address),
                body,
                contents.isEmpty() ? "" : "<h2>On this page</h2>\n" + contents,
                up,
                up);
    Path file = out.resolve(address);
    Files.createDirectories(file.getParent());
    Files.writeString(file, html);
  }
}
