package dev.lmm.core.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lmm.CheckpointException;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Content that is not what was promised. */
class HubContentTest extends HubTesting {
  @Test
  void refusesContentOfAnotherHash() {
    byte[] other = hub.files.get(WEIGHTS).clone();
    other[50_000] ^= 1;
    hub.sender =
        (exchange, body, from) ->
            FakeHub.whole(exchange, body == hub.files.get(WEIGHTS) ? other : body, from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining(WEIGHTS + " has the hash " + FakeHub.sha256(other))
        .hasMessageContaining("the hub lists " + hub.etag(WEIGHTS));
    assertThat(blob(WEIGHTS)).doesNotExist();
    assertThat(hub.requests(WEIGHTS)).isEqualTo(2);
    assertThat(storage().resolve("snapshots/" + FakeHub.COMMIT + "/" + WEIGHTS)).doesNotExist();
  }

  @Test
  void refusesSmallFilesOfAnotherHash() {
    hub.sender = (exchange, body, from) -> FakeHub.whole(exchange, new byte[body.length], from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json has the hash");
  }

  @ParameterizedTest
  @ValueSource(ints = {-5, 5})
  void refusesContentOfAnotherSize(int more) {
    hub.sender =
        (exchange, body, from) ->
            FakeHub.whole(exchange, Arrays.copyOf(body, body.length + more), from);
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("config.json is sent with " + (21 + more) + " bytes")
        .hasMessageContaining("lists 21");
  }

  @Test
  void refusesChunkedContentThatGoesOn() {
    hub.sender =
        (exchange, body, from) -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(new byte[body.length + 1]);
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("goes on after the 21 bytes");
  }

  @Test
  void acceptsChunkedContent() throws IOException {
    hub.sender =
        (exchange, body, from) -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write(body);
        };
    assertComplete(Hub.resolve(ID, options));
  }

  @Test
  void refusesARangeNobodyAskedFor() {
    byte[] whole = hub.files.get(WEIGHTS);
    hub.sender =
        (exchange, body, from) -> {
          if (from == 0) {
            FakeHub.cut(40_000).send(exchange, body, 0);
          } else {
            exchange
                .getResponseHeaders()
                .add("Content-Range", "bytes 10-" + (whole.length - 1) + "/" + whole.length);
            exchange.sendResponseHeaders(206, whole.length - from);
            exchange.getResponseBody().write(whole, from, whole.length - from);
          }
        };
    assertThatThrownBy(() -> Hub.resolve(ID, options))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("comes with the range \"bytes 10-");
  }

  @Test
  void asksForHashesThatTheListLacks() throws IOException {
    hub.hashes = false;
    assertComplete(Hub.resolve(ID, options));
    assertThat(hub.requests("HEAD ")).isEqualTo(4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<html>|no valid JSON",
        "{}|sha is missing",
        "{\"sha\":\"main\",\"siblings\":[]}|sha is main; expected 40 hexadecimal digits",
        "{\"sha\":\"../../../etc\",\"siblings\":[]}|expected 40 hexadecimal digits",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[]}|neither config.json",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":\"config.json\",\"size\":-1,\"blobId\":\"x\"}]}|git's hash",
        "{\"sha\":\"0123456789abcdef0123456789abcdef01234567\",\"siblings\":[{\"rfilename\":7}]}|expected a string"
      })
  void refusesListsThatAreNone(String body, String message) throws IOException {
    try (FakeHub broken = new FakeHub()) {
      broken.file("config.json", "x");
      // Answered by a redirect to a file, which is sent as it is.
      broken.file("list", body);
      broken.refuse("/api/", 302, "Location", "/a/b/resolve/main/list");
      assertThatThrownBy(() -> Hub.resolve(ID, options.withEndpoint(broken.address())))
          .isInstanceOfAny(HubException.class, CheckpointException.class)
          .hasMessageContaining(message);
    }
  }
}
