package dev.lmm.site;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Colours code: comments, strings, words of the language, types, numbers. */
final class Highlighter {
  private static final String STRING = "(?<s>\"\"\"[\\s\\S]*?\"\"\"|\"(?:\\\\.|[^\"\\\\\n])*\")";
  private static final Pattern JAVA =
      Pattern.compile(
          "(?<c>//[^\n]*|/\\*[\\s\\S]*?\\*/)|"
              + STRING
              + "|(?<a>@[A-Za-z]+)|(?<k>\\b(?:abstract|boolean|break|byte|case|catch|class|continue"
              + "|default|do|double|else|enum|extends|final|finally|float|for|if|implements|import"
              + "|instanceof|int|interface|long|new|null|package|private|protected|public|record"
              + "|return|short|static|super|switch|this|throw|throws|true|false|try|var|void|while"
              + "|module|requires|exports|provides|uses)\\b)|(?<t>\\b[A-Z][A-Za-z0-9]*\\b)"
              + "|(?<n>\\b[0-9][0-9_.]*[fFdDL]?\\b)");
  private static final Pattern XML =
      Pattern.compile("(?<c><!--[\\s\\S]*?-->)|(?<k></?[A-Za-z][^\\s>/]*|/?>)|" + STRING);
  private static final Pattern PROPERTIES =
      Pattern.compile("(?m)(?<c>^\\s*[#!][^\n]*)|(?<k>^[A-Za-z][^=:\\s]*)");
  private static final Pattern SHELL =
      Pattern.compile(
          "(?m)(?<c>(?:^|\\s)#[^\n]*)|"
              + STRING
              + "|(?<k>^(?:\\./)?[a-z][a-z0-9/._-]*)|(?<a>\\s--?[A-Za-z][A-Za-z0-9-]*)");
  private static final Map<String, Pattern> LANGUAGES =
      Map.of(
          "java",
          JAVA,
          "kotlin",
          JAVA,
          "groovy",
          JAVA,
          "xml",
          XML,
          "properties",
          PROPERTIES,
          "sh",
          SHELL,
          "bash",
          SHELL,
          "",
          SHELL);

  private Highlighter() {}

  static String html(String language, String code) {
    Pattern pattern = LANGUAGES.get(language);
    if (pattern == null) {
      return Html.escape(code);
    }
    StringBuilder html = new StringBuilder();
    Matcher matcher = pattern.matcher(code);
    int end = 0;
    while (matcher.find()) {
      html.append(Html.escape(code.substring(end, matcher.start())));
      html.append("<span class=\"").append(kind(matcher, pattern)).append("\">");
      html.append(Html.escape(matcher.group())).append("</span>");
      end = matcher.end();
    }
    return html.append(Html.escape(code.substring(end))).toString();
  }

  private static @Nullable String kind(Matcher matcher, Pattern pattern) {
    for (String name : new String[] {"c", "s", "k", "a", "t", "n"}) {
      if (pattern.pattern().contains("(?<" + name + ">") && matcher.group(name) != null) {
        return name;
      }
    }
    return null;
  }
}
