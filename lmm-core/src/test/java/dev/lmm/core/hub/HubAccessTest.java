package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.InvalidRequestException;
import java.io.IOException;
import java.net.http.HttpClient;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Redirects, tokens, and what a hub refuses. */
class HubAccessTest extends HubTesting {
  @Test
  void keepsTheTokenFromOtherHosts() throws IOException {
    try (FakeHub store = new FakeHub()) {
      store.files.putAll(hub.files);
      store.large.clear();
      hub.store = store.address().toString();
      assertComplete(Hub.resolve(ID, options.withToken("hf_secret")));
      assertThat(hub.log).allMatch(line -> line.endsWith("authorization=Bearer hf_secret"));
      assertThat(store.log).hasSize(1);
      assertThat(store.log).allMatch(line -> line.endsWith("authorization=null"));
    }
  }

  @Test
  void takesAClientOfTheCallersUnlessItFollowsRedirects() throws IOException {
    assertComplete(Hub.resolve(ID, options, HttpClient.newHttpClient()));
    HttpClient following =
        HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL).build();
    assertThatThrownBy(() -> Hub.resolve(ID, options, following))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("http: follows redirects by itself");
  }

  @Test
  void followsARepositoryThatMoved() throws IOException {
    hub.refuse("/api/", 307, "Location", "/api/models/new/name/revision/main?blobs=true");
    assertComplete(Hub.resolve(ID, options.withToken("hf_secret")));
    assertThat(hub.log).allMatch(line -> line.endsWith("authorization=Bearer hf_secret"));
  }

  @Test
  void refusesRedirectsThatLeadNowhere() {
    hub.refuse("/api/", 302, "Location", "file:///etc/passwd");
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("as safe as the first");
    hub.refuse("/api/", 302, "Location", "::");
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("is redirected to");
    hub.refuse("/api/", 302);
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("is redirected to");
    for (int i = 0; i < 9; i++) {
      hub.refuse("/api/", 302, "Location", "/api/models/a/b/revision/" + i);
    }
    assertThatThrownBy(() -> Hub.resolve(ID, options)).hasMessageContaining("more than 6 times");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "401|RepoNotFound|-|does not exist, or is private|set HF_TOKEN",
        "401|-|hf_x|not given to the token|wrong or expired",
        "401|GatedRepo|-|is gated: accept its terms at|then set HF_TOKEN",
        "403|GatedRepo|hf_x|is gated: accept its terms at|read access",
        "403|-|hf_x|forbidden to the account of the token|ask for access",
        "404|RepoNotFound|-|does not exist, or is private|check its spelling",
        "404|-|hf_x|does not exist, or is hidden|check it at",
        "404|RevisionNotFound|-|has no revision main|/tree/main",
        "418|-|-|cannot be fetched: an unexpected answer|418"
      })
  void saysWhyTheHubRefuses(int status, String code, String token, String what, String advice) {
    hub.refuse("/api/", status, code == null ? "X-None" : "X-Error-Code", code == null ? "" : code);
    assertThatThrownBy(() -> Hub.resolve(ID, options.withToken(token)))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith("owner/name: ")
        .hasMessageContainingAll(what, advice, "answers " + status)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("hf_x"));
    assertThat(hub.log).hasSize(1);
  }

  @Test
  void saysWhyAGatedFileIsRefused() {
    hub.refuse("/resolve/", 403, "X-Error-Code", "GatedRepo");
    assertThatThrownBy(() -> Hub.resolve(ID, options.withToken("hf_x")))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("is gated");
  }
}
