package dev.lmm.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.BindHandler;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.handler.NoUnboundElementsBindHandler;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

/** Properties that the pages of docs/ show are properties there are, with values they take. */
class ApplicationsPageTest {
  private static final Pattern PROPERTIES =
      Pattern.compile("^```properties\n(.*?)^```", Pattern.DOTALL | Pattern.MULTILINE);

  @Test
  void everyPropertyIsBound() throws IOException {
    List<Path> pages;
    try (Stream<Path> files = Files.walk(Path.of("../../docs"))) {
      pages = files.filter(file -> file.toString().endsWith(".md")).toList();
    }
    List<LmmProperties> bound = new ArrayList<>();
    for (Path page : pages) {
      Matcher block = PROPERTIES.matcher(Files.readString(page));
      while (block.find()) {
        Properties properties = new Properties();
        properties.load(new StringReader(block.group(1)));
        bound.add(
            new Binder(new MapConfigurationPropertySource(properties))
                .bind(
                    "lmm",
                    Bindable.of(LmmProperties.class),
                    new NoUnboundElementsBindHandler(BindHandler.DEFAULT))
                .get());
      }
    }
    assertThat(bound).isNotEmpty().allMatch(properties -> !properties.roles().isEmpty());
  }
}
