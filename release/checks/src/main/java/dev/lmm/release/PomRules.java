package dev.lmm.release;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.w3c.dom.Element;

/** What Central wants to read in a POM, and what a user's build must not meet there. */
final class PomRules {
  private static final List<String> DEMANDED =
      List.of(
          "name",
          "description",
          "url",
          "licenses/license/name",
          "licenses/license/url",
          "developers/developer/name",
          "developers/developer/email",
          "scm/connection",
          "scm/developerConnection",
          "scm/url");
  private static final Pattern PROPERTY = Pattern.compile("\\$\\{([^}]+)}");

  private PomRules() {}

  static List<String> poms(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.artifacts()) {
      if (bundle.has(bundle.path(artifact, ".pom"))) {
        Pom pom = bundle.pom(artifact);
        for (String fault : faults(bundle, artifact, pom)) {
          faults.add(artifact + ".pom: " + fault);
        }
      }
    }
    return faults;
  }

  private static List<String> faults(Bundle bundle, String artifact, Pom pom) throws IOException {
    List<Pom> line = new ArrayList<>(List.of(pom));
    if (pom.hasParent()) {
      if (!pom.text("parent/artifactId").equals("lmm-parent")
          || !pom.text("parent/version").equals(bundle.version())
          || !bundle.has(bundle.path("lmm-parent", ".pom"))) {
        return List.of("its parent is not in the bundle");
      }
      line.add(bundle.pom("lmm-parent"));
    }
    List<String> faults = new ArrayList<>();
    for (String path : DEMANDED) {
      if (first(line, path).isEmpty()) {
        faults.add("no " + path);
      }
    }
    // Name and description are each artifact's own.
    for (String path : List.of("name", "description")) {
      if (pom.text(path).isEmpty()) {
        faults.add("no " + path + " of its own");
      }
    }
    expect(faults, "groupId", "dev.lmm", own(pom, "groupId"));
    expect(faults, "artifactId", artifact, pom.text("artifactId"));
    expect(faults, "version", bundle.version(), own(pom, "version"));
    if (pom.root().getTextContent().contains("SNAPSHOT")) {
      faults.add("speaks of a SNAPSHOT");
    }
    for (String path : List.of("repositories/repository", "pluginRepositories/pluginRepository")) {
      if (!pom.all(path).isEmpty()) {
        faults.add(path + " would send users elsewhere");
      }
    }
    faults.addAll(strange(pom));
    if (artifact.equals("lmm-bom")) {
      faults.addAll(bom(pom));
    }
    for (String path :
        List.of("dependencies/dependency", "dependencyManagement/dependencies/dependency")) {
      for (Element dependency : pom.all(path)) {
        faults.addAll(dependency(bundle, line, dependency));
      }
    }
    return faults;
  }

  /**
   * What Gradle reads otherwise than Maven: it passes over profiles that a machine turns on. What
   * only tests need is nothing to a user of either.
   */
  private static List<String> strange(Pom pom) {
    List<String> faults = new ArrayList<>();
    for (Element profile : pom.all("profiles/profile")) {
      boolean needed =
          Pom.all(profile, "dependencies/dependency").stream()
              .anyMatch(dependency -> !Pom.text(dependency, "scope").equals("test"));
      if (needed || !Pom.all(profile, "dependencyManagement").isEmpty()) {
        faults.add("profile " + Pom.text(profile, "id") + " has dependencies; Gradle has none");
      }
    }
    return faults;
  }

  /** A BOM is imported, by Maven and as a platform of Gradle: it has versions and nothing else. */
  private static List<String> bom(Pom pom) {
    List<String> faults = new ArrayList<>();
    expect(faults, "packaging", "pom", pom.packaging());
    for (String path : List.of("parent", "properties", "dependencies")) {
      if (!pom.all(path).isEmpty()) {
        faults.add("has " + path + "; a BOM has versions alone");
      }
    }
    Set<String> names = new HashSet<>();
    for (Element entry : pom.all("dependencyManagement/dependencies/dependency")) {
      String name = Pom.text(entry, "artifactId") + ':' + Pom.text(entry, "classifier");
      if (!Pom.text(entry, "groupId").equals("dev.lmm") || !Pom.text(entry, "scope").isEmpty()) {
        faults.add(name + " is none of ours, or has a scope");
      }
      if (!names.add(name)) {
        faults.add(name + " is there twice");
      }
    }
    return faults;
  }

  private static List<String> dependency(Bundle bundle, List<Pom> line, Element dependency)
      throws IOException {
    String group = Pom.text(dependency, "groupId");
    String artifact = Pom.text(dependency, "artifactId");
    String scope = Pom.text(dependency, "scope");
    String name = group + ":" + artifact;
    if (scope.equals("system") || !Pom.text(dependency, "systemPath").isEmpty()) {
      return List.of(name + " lies on the builder's disk");
    }
    if (group.equals("dev.lmm")) {
      String version = resolved(bundle, line, Pom.text(dependency, "version"));
      if (!version.isEmpty() && !version.equals(bundle.version())) {
        return List.of(name + " in version " + version);
      }
      return bundle.has(bundle.path(artifact, ".pom"))
          ? List.of()
          : List.of(name + " is not in the bundle");
    }
    String version = Pom.text(dependency, "version");
    if (version.isEmpty()) {
      version = managed(line, group, artifact);
    }
    if (version.isEmpty() && managedByImport(line)) {
      return List.of(); // junit-bom and the like: the build has resolved it
    }
    version = resolved(bundle, line, version);
    boolean fixed =
        !version.isEmpty()
            && !version.matches(".*[\\[(,$].*")
            && !version.matches("LATEST|RELEASE|.*-SNAPSHOT");
    return fixed ? List.of() : List.of(name + " in no fixed version: '" + version + "'");
  }

  private static String managed(List<Pom> line, String group, String artifact) {
    for (Pom pom : line) {
      for (Element entry : pom.all("dependencyManagement/dependencies/dependency")) {
        if (Pom.text(entry, "groupId").equals(group)
            && Pom.text(entry, "artifactId").equals(artifact)) {
          return Pom.text(entry, "version");
        }
      }
    }
    return "";
  }

  private static boolean managedByImport(List<Pom> line) {
    return line.stream()
        .flatMap(pom -> pom.all("dependencyManagement/dependencies/dependency").stream())
        .anyMatch(
            entry ->
                Pom.text(entry, "scope").equals("import")
                    && !Pom.text(entry, "groupId").equals("dev.lmm"));
  }

  private static String resolved(Bundle bundle, List<Pom> line, String version) {
    Matcher property = PROPERTY.matcher(version);
    return property.replaceAll(
        found ->
            Matcher.quoteReplacement(
                found.group(1).equals("project.version")
                    ? bundle.version()
                    : first(line, "properties/" + found.group(1))));
  }

  private static String first(List<Pom> line, String path) {
    return line.stream()
        .map(pom -> pom.text(path))
        .filter(text -> !text.isEmpty())
        .findFirst()
        .orElse("");
  }

  private static String own(Pom pom, String field) {
    String text = pom.text(field);
    return text.isEmpty() ? pom.text("parent/" + field) : text;
  }

  private static void expect(List<String> faults, String field, String expected, String found) {
    if (!expected.equals(found)) {
      faults.add(field + " is '" + found + "', not '" + expected + "'");
    }
  }
}
