package dev.lmm.site;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Whether links lead somewhere: those of the Markdown, and those of the finished site. */
final class Links {
  private static final Pattern OUTSIDE = Pattern.compile("[a-z][a-z0-9+.-]*:.*");
  private static final Pattern HTML_LINK =
      Pattern.compile("<(?:a|img|script|link)\\b[^>]*?\\b(?:href|src)=\"([^\"]*)\"");
  private static final Pattern HTML_ID = Pattern.compile("\\bid=\"([^\"]+)\"");

  private Links() {}

  /** Whether a link leaves the repository. */
  static boolean isOutside(String link) {
    return OUTSIDE.matcher(link).matches();
  }

  /**
   * The file that a link leads to, below the root, and its anchor.
   *
   * @param file with slashes; empty for the root itself
   * @param anchor without the mark, or null
   */
  record Target(String file, @Nullable String anchor) {}

  /** Where a link of a page leads; null if it leads out of the root. */
  static @Nullable Target resolve(String page, String link) {
    int mark = link.indexOf('#');
    String path =
        URLDecoder.decode(mark < 0 ? link : link.substring(0, mark), StandardCharsets.UTF_8);
    String anchor =
        mark < 0 ? null : URLDecoder.decode(link.substring(mark + 1), StandardCharsets.UTF_8);
    if (path.isEmpty()) {
      return new Target(page, anchor);
    }
    Path base = Path.of("/" + page).getParent();
    Path resolved =
        Path.of("/root").resolve(base.toString().substring(1)).resolve(path).normalize();
    if (!resolved.startsWith("/root")) {
      return null;
    }
    return new Target(Path.of("/root").relativize(resolved).toString().replace('\\', '/'), anchor);
  }

  /**
   * Links of pages that lead nowhere.
   *
   * @param root of the repository
   * @param pages its Markdown
   * @return one line for each, empty if all is well
   */
  static List<String> broken(Path root, Map<String, Page> pages) {
    List<String> broken = new ArrayList<>();
    for (Page page : pages.values()) {
      for (String link : page.links()) {
        if (isOutside(link)) {
          continue;
        }
        Target target = resolve(page.source(), link);
        if (target == null || !Files.exists(root.resolve(target.file()))) {
          broken.add(page.source() + ": " + link + " leads to no file");
        } else if (target.anchor() != null) {
          Page other = pages.get(target.file());
          if (other == null) {
            broken.add(page.source() + ": " + link + " has an anchor in what is no page");
          } else if (!other.headings().containsKey(target.anchor())) {
            broken.add(page.source() + ": " + link + ": " + target.file() + " has no such heading");
          }
        }
      }
    }
    return broken;
  }

  /**
   * Links of a finished site that lead nowhere. Javadoc's own pages are taken as they are; links to
   * them are checked.
   *
   * @param site its folder
   * @return one line for each, empty if all is well
   */
  static List<String> brokenHtml(Path site) throws IOException {
    Map<String, Set<String>> ids = new HashMap<>();
    List<String> broken = new ArrayList<>();
    List<String> pages;
    try (Stream<Path> files = Files.walk(site)) {
      pages =
          files
              .map(file -> site.relativize(file).toString().replace('\\', '/'))
              .filter(name -> name.endsWith(".html") && !name.startsWith("api"))
              .sorted()
              .toList();
    }
    for (String page : pages) {
      Matcher link = HTML_LINK.matcher(Files.readString(site.resolve(page)));
      while (link.find()) {
        String href = link.group(1).replace("&amp;", "&");
        if (isOutside(href) || href.isEmpty()) {
          continue;
        }
        Target target = resolve(page, href);
        if (target == null || !Files.isRegularFile(site.resolve(target.file()))) {
          broken.add(page + ": " + href + " leads to no file");
        } else if (target.anchor() != null
            && !target.anchor().isEmpty()
            && !ids(site, target.file(), ids).contains(target.anchor())) {
          broken.add(page + ": " + href + ": no such anchor");
        }
      }
    }
    return broken;
  }

  private static Set<String> ids(Path site, String file, Map<String, Set<String>> known)
      throws IOException {
    Set<String> ids = known.get(file);
    if (ids == null) {
      ids = new TreeSet<>();
      Matcher id = HTML_ID.matcher(Files.readString(site.resolve(file)));
      while (id.find()) {
        ids.add(id.group(1));
      }
      known.put(file, ids);
    }
    return ids;
  }
}
