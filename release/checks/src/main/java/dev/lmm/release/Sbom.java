package dev.lmm.release;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.w3c.dom.Element;

/**
 * A CycloneDX bill of materials.
 *
 * @param subject what it is the bill of
 * @param components what that needs
 */
record Sbom(Component subject, List<Component> components) {
  private static final String PUBLIC_DOMAIN = "Public Domain";

  /** Licences under which a library may come along; of several, one must be here. */
  static final Set<String> ALLOWED =
      Set.of(
          "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "MIT-0", "CC0-1.0", PUBLIC_DOMAIN);

  /**
   * What libraries are under whose POMs say it too loosely ("The BSD License", which CycloneDX
   * takes for the one of four clauses), as their sources say it.
   */
  private static final Map<String, String> KNOWN =
      Map.of(
          "org.antlr ST4", "BSD-3-Clause",
          "org.antlr antlr-runtime", "BSD-3-Clause",
          "aopalliance aopalliance", PUBLIC_DOMAIN);

  /**
   * A library.
   *
   * @param licenses SPDX identifiers or names; of several the user may choose
   */
  record Component(String group, String name, String version, List<String> licenses) {
    static Component of(Element element) {
      List<String> licenses = new ArrayList<>();
      for (String path : List.of("licenses/license/id", "licenses/license/name")) {
        Pom.all(element, path).forEach(l -> licenses.add(l.getTextContent().strip()));
      }
      Pom.all(element, "licenses/expression").stream()
          .flatMap(e -> Arrays.stream(e.getTextContent().split(" OR ", -1)))
          .forEach(e -> licenses.add(e.replaceAll("[()]", "").strip()));
      String group = Pom.text(element, "group");
      String name = Pom.text(element, "name");
      String known = KNOWN.get(group + " " + name);
      return new Component(
          group, name, Pom.text(element, "version"), known == null ? licenses : List.of(known));
    }
  }

  static Sbom of(Bundle bundle, String artifact) throws IOException {
    Pom file = Pom.read(bundle.file(bundle.path(artifact, "-cyclonedx.xml")));
    return new Sbom(
        Component.of(file.all("metadata/component").get(0)),
        file.all("components/component").stream().map(Component::of).toList());
  }

  /** Each jar has its bill, which names what its POM names, all under licences we can take. */
  static List<String> bills(Bundle bundle) throws IOException {
    List<String> faults = new ArrayList<>();
    for (String artifact : bundle.jars()) {
      for (String suffix : List.of("-cyclonedx.xml", "-cyclonedx.json")) {
        if (!bundle.has(bundle.path(artifact, suffix))) {
          faults.add(artifact + " has no " + suffix);
        }
      }
      if (!bundle.has(bundle.path(artifact, "-cyclonedx.xml"))) {
        continue;
      }
      Sbom bill = of(bundle, artifact);
      if (!bill.subject().name().equals(artifact)
          || !bill.subject().version().equals(bundle.version())) {
        faults.add(artifact + "-cyclonedx.xml is the bill of " + bill.subject());
      }
      for (Element dependency : bundle.pom(artifact).all("dependencies/dependency")) {
        String scope = Pom.text(dependency, "scope");
        String name = Pom.text(dependency, "artifactId");
        if (Stream.of("test", "provided").noneMatch(scope::equals)
            && !Pom.text(dependency, "optional").equals("true")
            && bill.components().stream().noneMatch(c -> c.name().equals(name))) {
          faults.add(artifact + "-cyclonedx.xml does not name " + name);
        }
      }
      for (Component component : bill.components()) {
        if (component.licenses().stream().noneMatch(ALLOWED::contains)) {
          faults.add(artifact + " needs " + component + ": none of " + ALLOWED);
        }
      }
    }
    return faults;
  }
}
