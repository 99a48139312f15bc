package dev.lmm.release;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * A POM as it is published, or another small XML file.
 *
 * @param root the outermost element
 */
record Pom(Element root) {
  static Pom read(Path file) throws IOException {
    return new Pom(document(file).getDocumentElement());
  }

  static Document document(Path file) throws IOException {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_DTD, "");
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_SCHEMA, "");
      return factory.newDocumentBuilder().parse(file.toFile());
    } catch (ParserConfigurationException | SAXException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }

  /** The elements at a path of names below an element: {@code licenses/license}. */
  static List<Element> all(Element above, String path) {
    List<Element> level = List.of(above);
    for (String name : path.split("/", -1)) {
      List<Element> next = new ArrayList<>();
      for (Element element : level) {
        NodeList children = element.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
          Node child = children.item(i);
          if (child instanceof Element found && found.getTagName().equals(name)) {
            next.add(found);
          }
        }
      }
      level = next;
    }
    return level;
  }

  /** The text at a path of names, empty where there is none. */
  static String text(Element above, String path) {
    List<Element> found = all(above, path);
    return found.isEmpty() ? "" : found.get(0).getTextContent().strip();
  }

  List<Element> all(String path) {
    return all(root, path);
  }

  String text(String path) {
    return text(root, path);
  }

  String packaging() {
    String packaging = text("packaging");
    return packaging.isEmpty() ? "jar" : packaging;
  }

  boolean hasParent() {
    return !all("parent").isEmpty();
  }
}
