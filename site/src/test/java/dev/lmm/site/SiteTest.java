package dev.lmm.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The pages of this repository, and pages that are wrong. */
class SiteTest {
  private static final Path ROOT = Path.of("..");
  @TempDir Path folder;

  @Test
  void everyLinkOfThisRepositorysPagesLeadsSomewhere() throws IOException {
    Map<String, Page> pages = Site.pages(ROOT);
    assertThat(pages).containsKeys("README.md", "docs/README.md", "docs/engines.md");
    assertThat(Links.broken(ROOT, pages)).isEmpty();
  }

  @Test
  void theSiteOfThisRepositoryIsWhole() throws IOException {
    assertThat(Site.make(ROOT.toAbsolutePath().normalize(), folder)).isEmpty();
    String home = Files.readString(folder.resolve("index.html"));
    assertThat(home)
        .contains("<html lang=\"en\">", "<span class=\"k\">try</span>", "search-index.js");
    assertThat(Files.readString(folder.resolve("ko/getting-started.html")))
        .contains("<html lang=\"ko\">", "href=\"../engines.html");
    // Every page can be reached from every page, listed in docs/README.md or not.
    for (String page : Site.pages(ROOT).keySet()) {
      if (page.startsWith("docs/") && !page.equals("docs/README.md")) {
        assertThat(home).contains("<a href=\"" + Site.address(page) + "\"");
      }
    }
    assertThat(folder.resolve("source/examples/src/main/java/dev/lmm/examples/Boxes.java.html"))
        .exists();
    assertThat(Files.readString(folder.resolve("search-index.js")))
        .startsWith("window.LMM_INDEX=[")
        .contains("\"engines.html#how-much-memory\"");
  }

  private Path repository(String readme) throws IOException {
    Path root = Files.createDirectories(folder.resolve("repository"));
    Files.createDirectories(root.resolve("docs"));
    Files.writeString(root.resolve("README.md"), readme);
    Files.writeString(root.resolve("CONTRIBUTING.md"), "# Contributing\n");
    Files.writeString(root.resolve("CHANGELOG.md"), "# Changelog\n");
    Files.writeString(root.resolve("docs/unlisted.md"), "# Not listed\n");
    Files.writeString(root.resolve("docs/README.md"), "# Contents\n\n## A\n\n- [B](b.md)\n");
    Files.writeString(
        root.resolve("docs/b.md"), "# B\n\n## What's new, in `x.y`?\n\n## Twice\n\n## Twice\n");
    return root;
  }

  @ParameterizedTest
  @CsvSource({
    "nowhere.md, README.md: nowhere.md leads to no file",
    "docs/b.md#c, README.md: docs/b.md#c: docs/b.md has no such heading",
    "#d, README.md: #d: README.md has no such heading",
    "docs/b.md#twice-2, README.md: docs/b.md#twice-2: docs/b.md has no such heading",
    "../x, README.md: ../x leads to no file",
    "docs#a, README.md: docs#a has an anchor in what is no page"
  })
  void aLinkThatLeadsNowhereIsFound(String link, String told) throws IOException {
    Path root = repository("# lmm\n\n[text](" + link + ")\n");
    assertThat(Site.make(root, folder.resolve("site"))).containsExactly(told);
    assertThat(folder.resolve("site")).doesNotExist();
  }

  @Test
  void pagesAreMadeWithNavigationAnchorsAndSources() throws IOException {
    Path root =
        repository(
            """
            # lmm

            [b](docs/b.md#whats-new-in-xy), [twice](docs/b.md#twice-1), [docs](docs),
            [out](https://lmm.dev)

            ```java
            // "x"
            int n = "<y>".length();
            ```
            """);
    Path site = folder.resolve("site");
    assertThat(Site.make(root, site)).isEmpty();
    String home = Files.readString(site.resolve("index.html"));
    assertThat(home)
        .contains("href=\"b.html#whats-new-in-xy\"", "href=\"b.html#twice-1\"")
        .contains("href=\"source/docs.html\"", "href=\"https://lmm.dev\"")
        .contains("<span class=\"c\">// &quot;x&quot;</span>")
        .contains(
            "<span class=\"k\">int</span> n = <span class=\"s\">&quot;&lt;y&gt;&quot;</span>");
    assertThat(Files.readString(site.resolve("b.html")))
        .contains("<a href=\"b.html\" class=\"here\">B</a>", "id=\"twice-1\"")
        .contains("<h2>More</h2>\n<a href=\"unlisted.html\">Not listed</a>");
    // What is broken in the site itself is found, too.
    Files.delete(site.resolve("contributing.html"));
    Files.writeString(
        site.resolve("b.html"),
        "<a href=\"contributing.html\">",
        java.nio.charset.StandardCharsets.UTF_8);
    Files.writeString(
        site.resolve("c.html"), "<h1 id=\"x\"></h1><a href=\"#y\"><img src=\"z.png\">");
    assertThat(Links.brokenHtml(site))
        .contains(
            "b.html: contributing.html leads to no file",
            "c.html: #y: no such anchor",
            "c.html: z.png leads to no file");
  }
}
