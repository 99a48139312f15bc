package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lmm.tiny.TinyPictures;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.test.context.SpringBootTest;

@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
class CaptionApplicationTest {
  @Value("${local.server.port}")
  private int port;

  @Test
  void namesAPictureAndShowsHealthAndMeters() throws Exception {
    TinyPictures.Captioned star = TinyPictures.all().get(1);
    HttpRequest post =
        HttpRequest.newBuilder(address("/caption"))
            .header("Content-Type", "application/octet-stream")
            .POST(HttpRequest.BodyPublishers.ofByteArray(TinyPictures.bytes(star.file())))
            .build();
    assertEquals(star.english(), send(post));
    String health = send(HttpRequest.newBuilder(address("/actuator/health")).build());
    assertTrue(health.contains("\"lmm\":{"), health);
    assertTrue(health.contains("tiny-clip"), health);
    String runs = send(HttpRequest.newBuilder(address("/actuator/metrics/lmm.run")).build());
    assertTrue(runs.contains("\"statistic\":\"COUNT\",\"value\":1.0"), runs);
  }

  private URI address(String path) {
    return URI.create("http://localhost:" + port + path);
  }

  private static String send(HttpRequest request) throws Exception {
    return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
  }
}
