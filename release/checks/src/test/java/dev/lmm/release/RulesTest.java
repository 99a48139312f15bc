package dev.lmm.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A release without a fault passes; one spoilt anywhere fails, and the fault says where. */
class RulesTest {
  private static final String BUILDER = "/home/builder/lmm";

  @TempDir static Path keys;
  @TempDir Path folder;

  @BeforeAll
  static void makeKeys() throws IOException {
    ThrowAwayKey.write(keys.resolve("ours"), Sample.PASSPHRASE);
    ThrowAwayKey.write(keys.resolve("theirs"), Sample.PASSPHRASE);
  }

  private List<String> check(Bundle bundle) throws IOException {
    return Main.check(
        bundle, keys.resolve("ours/public.asc"), folder.resolve("parts"), List.of(BUILDER));
  }

  private Bundle write(Sample sample) throws Exception {
    return sample.write(
        folder.resolve("bundle"), folder.resolve("parts"), keys.resolve("ours/secret.asc"));
  }

  @Test
  void aGoodReleaseHasNoFault() throws Exception {
    assertThat(check(write(new Sample()))).isEmpty();
  }

  static Stream<Arguments> spoiltReleases() {
    return Stream.of(
        spoilt(
            "lmm-a has no -sources.jar",
            sample -> sample.jars.remove(Sample.path("lmm-a", "-sources.jar"))),
        spoilt(
            "lmm-a has no -javadoc.jar",
            sample -> sample.jars.remove(Sample.path("lmm-a", "-javadoc.jar"))),
        spoilt("lmm-a has no POM", sample -> sample.texts.remove(Sample.path("lmm-a", ".pom"))),
        spoilt(
            "lmm-fuzz is published but not in lmm-bom",
            sample ->
                sample.texts.put(
                    Sample.path("lmm-fuzz", ".pom"),
                    pom(sample, "lmm-a").replace("lmm-a", "lmm-fuzz"))),
        spoilt(
            "lmm-b is in lmm-bom but not published",
            sample -> edit(sample, "lmm-bom", "lmm-a", "lmm-b")),
        spoilt(
            "dev/lmm/lmm-a/1.2.2/lmm-a-1.2.2.txt is no file of version 1.2.3",
            sample -> sample.texts.put("lmm-a/1.2.2/lmm-a-1.2.2.txt", "old")),
        spoilt(
            "lmm-a.pom: no description of its own",
            sample -> edit(sample, "lmm-a", "<description>A sample.</description>", "")),
        spoilt(
            "lmm-a.pom: no licenses/license/url",
            sample -> edit(sample, "lmm-parent", "<url>https://apache.org</url>", "")),
        spoilt(
            "lmm-bom.pom: no scm/connection",
            sample -> edit(sample, "lmm-bom", "<connection>scm:git:x</connection>", "")),
        spoilt(
            "lmm-bom.pom: no developers/developer/email",
            sample -> edit(sample, "lmm-bom", "<email>dev@lmm.dev</email>", "")),
        spoilt(
            "lmm-a.pom: its parent is not in the bundle",
            sample -> edit(sample, "lmm-a", "lmm-parent", "our-parent")),
        spoilt(
            "lmm-a.pom: speaks of a SNAPSHOT",
            sample -> edit(sample, "lmm-a", "A sample.", "As 1.2.3-SNAPSHOT.")),
        spoilt(
            "lmm-a.pom: org.other:other in no fixed version: '[1.0,2.0)'",
            sample -> edit(sample, "lmm-a", "<version>1.0<", "<version>[1.0,2.0)<")),
        spoilt(
            "lmm-a.pom: org.other:other in no fixed version: ''",
            sample -> edit(sample, "lmm-a", "<version>1.0<", "<version><")),
        spoilt(
            "lmm-a.pom: org.other:other lies on the builder's disk",
            sample -> edit(sample, "lmm-a", "<version>1.0", "<scope>system</scope><version>1.0")),
        spoilt(
            "lmm-cli.pom: dev.lmm:lmm-z is not in the bundle",
            sample -> edit(sample, "lmm-cli", "<artifactId>lmm-a", "<artifactId>lmm-z")),
        spoilt(
            "lmm-parent.pom: repositories/repository would send users elsewhere",
            sample ->
                edit(
                    sample,
                    "lmm-parent",
                    "</project>",
                    "<repositories><repository/></repositories></project>")),
        spoilt(
            "lmm-a.pom: profile here has dependencies; Gradle has none",
            sample ->
                edit(
                    sample,
                    "lmm-a",
                    "</project>",
                    "<profiles><profile><id>tests</id><dependencies><dependency><scope>test</scope>"
                        + "</dependency></dependencies></profile><profile><id>here</id>"
                        + "<dependencies><dependency/></dependencies></profile></profiles>"
                        + "</project>")),
        spoilt(
            "lmm-bom.pom: has properties; a BOM has versions alone",
            sample -> edit(sample, "lmm-bom", "</project>", "<properties/></project>")),
        spoilt(
            "lmm-bom.pom: packaging is 'jar', not 'pom'",
            sample ->
                edit(
                    sample, "lmm-bom", "<packaging>pom</packaging>", "<packaging>jar</packaging>")),
        spoilt(
            "lmm-a.jar has no META-INF/LICENSE",
            sample -> jar(sample, "lmm-a", ".jar").remove("META-INF/LICENSE")),
        spoilt(
            "lmm-a-sources.jar has no META-INF/NOTICE",
            sample -> jar(sample, "lmm-a", "-sources.jar").remove("META-INF/NOTICE")),
        spoilt(
            "lmm-a.jar has no module name",
            sample -> jar(sample, "lmm-a", ".jar").remove("module-info.class")),
        spoilt(
            "lmm-a.jar holds org/other/Other.class",
            sample -> jar(sample, "lmm-a", ".jar").put("org/other/Other.class", Sample.clazz(61))),
        spoilt(
            "lmm-a.jar: dev/lmm/a/A.class needs more than Java 17",
            sample -> jar(sample, "lmm-a", ".jar").put("dev/lmm/a/A.class", Sample.clazz(65))),
        spoilt(
            "lmm-a-sources.jar has no dev/lmm/a/A.java",
            sample -> jar(sample, "lmm-a", "-sources.jar").remove("dev/lmm/a/A.java")),
        spoilt(
            "lmm-a-javadoc.jar is empty",
            sample -> jar(sample, "lmm-a", "-javadoc.jar").remove("m/module-summary.html")),
        spoilt(
            "lmm-a-1.2.3.jar: dev/lmm/a/a.properties names " + BUILDER,
            sample ->
                jar(sample, "lmm-a", ".jar").put("dev/lmm/a/a.properties", "in=" + BUILDER + "/x")),
        spoilt(
            "lmm-a-1.2.3.pom names " + BUILDER,
            sample -> edit(sample, "lmm-a", "A sample.", "In " + BUILDER)),
        spoilt(
            "lmm-a has no -cyclonedx.json",
            sample -> sample.texts.remove(Sample.path("lmm-a", "-cyclonedx.json"))),
        spoilt(
            "lmm-a-cyclonedx.xml does not name other",
            sample -> bill(sample, "<name>other", "<name>another")),
        spoilt(
            "lmm-a-cyclonedx.xml is the bill of",
            sample -> bill(sample, "<name>lmm-a", "<name>lmm-b")),
        spoilt(
            "licenses=[GPL-3.0-only]]: none of",
            sample -> bill(sample, "<id>MIT", "<id>GPL-3.0-only")),
        spoilt(
            "there is no lmm-cli-all.jar",
            sample -> sample.jars.remove(Sample.path("lmm-cli", "-all.jar"))),
        spoilt(
            "lmm-cli-all.jar: native/other.so of other-1.0.jar is missing",
            sample -> all(sample).remove("native/other.so")),
        spoilt(
            "org/other/Other.class of other-1.0.jar is not the one inside",
            sample -> all(sample).put("org/other/Other.class", Sample.clazz(51))),
        spoilt(
            "META-INF/services/some.Service of other-1.0.jar is not merged",
            sample -> all(sample).put("META-INF/services/some.Service", "dev.lmm.a.A\n")),
        spoilt(
            "META-INF/OTHER.SF signs a part, not the whole",
            sample -> all(sample).put("META-INF/OTHER.SF", "signed")),
        spoilt(
            "Main-Class is null, not dev.lmm.cli.Main",
            sample -> all(sample).put("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")),
        spoilt(
            "META-INF/THIRD-PARTY.txt does not name org.other:other",
            sample -> all(sample).put("META-INF/THIRD-PARTY.txt", "nothing")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("spoiltReleases")
  void isRefused(String fault, Consumer<Sample> damage) throws Exception {
    Sample sample = new Sample();
    damage.accept(sample);
    assertThat(check(write(sample))).anySatisfy(found -> assertThat(found).contains(fault));
  }

  @Test
  void bytesMustBeThoseThatWereSummedAndSigned() throws Exception {
    Bundle bundle = write(new Sample());
    Files.writeString(bundle.file(bundle.path("lmm-a", "-cyclonedx.json")), "{ }");
    assertThat(check(bundle))
        .contains(
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-cyclonedx.json.md5 is not the checksum of"
                + " dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-cyclonedx.json",
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-cyclonedx.json.asc is not the key's signature of it")
        .hasSize(3);
  }

  @Test
  void sumsAndSignaturesMustBeThere() throws Exception {
    Bundle bundle = write(new Sample());
    String jar = bundle.path("lmm-a", ".jar");
    Files.delete(bundle.file(jar + ".asc"));
    Files.delete(bundle.file(jar + ".sha1"));
    Files.move(
        bundle.file(bundle.path("lmm-a", "-cyclonedx.json") + ".asc"),
        bundle.file(bundle.path("lmm-a", "-bill.json") + ".asc"));
    assertThat(check(bundle))
        .containsExactlyInAnyOrder(
            jar + " is not signed",
            jar + " has no sha1",
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-cyclonedx.json is not signed",
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-bill.json.asc is the signature of nothing");
  }

  @Test
  void aStrangersSignatureDoesNotCount() throws Exception {
    Bundle bundle = write(new Sample());
    String pom = bundle.path("lmm-a", ".pom");
    Files.write(
        bundle.file(pom + ".asc"),
        Sample.sign(bundle.bytes(pom), keys.resolve("theirs/secret.asc")));
    assertThat(check(bundle)).containsExactly(pom + ".asc is not the key's signature of it");
  }

  @Test
  void buildsAreComparedByteForByteButForSignatures() throws Exception {
    Bundle one = write(new Sample());
    Sample other = new Sample();
    jar(other, "lmm-a", ".jar").put("dev/lmm/a/A.class", Sample.clazz(60));
    other.texts.put(Sample.path("lmm-a", "-more.json"), "{}");
    Bundle two =
        other.write(
            folder.resolve("two"), folder.resolve("parts2"), keys.resolve("theirs/secret.asc"));
    assertThat(Compare.differences(one, one)).isEmpty();
    assertThat(Compare.differences(one, two))
        .contains(
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3.jar differs in [dev/lmm/a/A.class]",
            "dev/lmm/lmm-a/1.2.3/lmm-a-1.2.3-more.json is made by one build alone")
        .noneSatisfy(fault -> assertThat(fault).contains(".asc"));
  }

  @Test
  void aZipMayNotLeaveItsFolder() throws Exception {
    Path zip = folder.resolve("evil.zip");
    Files.write(zip, Sample.zip(Map.of("../outside", "x")));
    assertThatThrownBy(() -> Bundle.unpack(zip, folder.resolve("unpacked")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("../outside leads elsewhere");
  }

  private static Arguments spoilt(String fault, Consumer<Sample> damage) {
    return Arguments.of(fault, damage);
  }

  private static String pom(Sample sample, String artifact) {
    return sample.texts.getOrDefault(Sample.path(artifact, ".pom"), "");
  }

  private static void edit(Sample sample, String artifact, String from, String to) {
    String pom = pom(sample, artifact);
    assertThat(pom).contains(from);
    sample.texts.put(Sample.path(artifact, ".pom"), pom.replace(from, to));
  }

  private static void bill(Sample sample, String from, String to) {
    String path = Sample.path("lmm-a", "-cyclonedx.xml");
    String bill = sample.texts.getOrDefault(path, "");
    assertThat(bill).contains(from);
    sample.texts.put(path, bill.replace(from, to));
  }

  private static Map<String, String> jar(Sample sample, String artifact, String suffix) {
    return sample.jars.getOrDefault(Sample.path(artifact, suffix), Map.of());
  }

  private static Map<String, String> all(Sample sample) {
    return jar(sample, "lmm-cli", "-all.jar");
  }
}
