package dev.lmm.core.text.template;

import dev.lmm.CheckpointException;
import dev.lmm.core.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into tokens, white space treated as chat templates are rendered: the line break
 * after a block and blanks before one vanish (trim_blocks, lstrip_blocks).
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ":", ".", "|");

  /** Chains of operators nest when they are run: this bounds them. */
  private static final int MOST_IN_A_TAG = 2000;

  private final String name;
  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineStart = true;

  Lexer(String name, String source) {
    this.name = name;
    String plain = source.replace("\r\n", "\n").replace('\r', '\n');
    this.source = plain.endsWith("\n") ? plain.substring(0, plain.length() - 1) : plain;
  }

  List<Token> tokens() {
    while (at < source.length()) {
      data();
    }
    tokens.add(new Token(Kind.END, "", line));
    return tokens;
  }

  private CheckpointException broken(String what) {
    return new CheckpointException(name + " line " + line + ": " + what);
  }

  private int nextTag() {
    for (int i = at; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void data() {
    int tag = nextTag();
    if (tag < 0) {
      add(source.substring(at));
      at = source.length();
      return;
    }
    String text = source.substring(at, tag);
    char kind = source.charAt(tag + 1);
    char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
    String shown = text;
    if (sign == '-') {
      shown = text.stripTrailing();
    } else if (sign != '+' && kind != '{') {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStart) && text.substring(start).isBlank()) {
        shown = text.substring(0, start);
      }
    }
    add(shown);
    count(text);
    at = tag + 2 + (sign == '-' || (sign == '+' && kind != '{') ? 1 : 0);
    switch (kind) {
      case '#' -> {
        int end = source.indexOf("#}", at);
        if (end < 0) {
          throw broken("a comment without end");
        }
        count(source.substring(at, end));
        boolean strip = source.charAt(end - 1) == '-' && end > at;
        boolean keep = source.charAt(end - 1) == '+' && end > at;
        at = end + 2;
        after(strip, !strip && !keep);
      }
      case '%' -> inside(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
      default -> inside(Kind.PRINT_BEGIN, Kind.PRINT_END, "}}");
    }
  }

  private void add(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Kind.DATA, text, line));
    }
  }

  private void count(String text) {
    line += (int) text.chars().filter(c -> c == '\n').count();
  }

  /** White space behind a tag. */
  private void after(boolean strip, boolean trim) {
    int from = at;
    if (strip) {
      while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
        at++;
      }
    } else if (trim && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
    count(source.substring(from, at));
    lineStart = at > from && source.charAt(at - 1) == '\n';
  }

  private void inside(Kind begin, Kind end, String close) {
    tokens.add(new Token(begin, "", line));
    int depth = 0;
    for (int count = 0; ; count++) {
      if (count > MOST_IN_A_TAG) {
        throw broken("a tag of more than " + MOST_IN_A_TAG + " tokens");
      }
      while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
        line += source.charAt(at++) == '\n' ? 1 : 0;
      }
      if (at >= source.length()) {
        throw broken("a tag without its " + close);
      }
      boolean block = end == Kind.BLOCK_END;
      boolean strip = source.startsWith("-" + close, at);
      boolean keep = block && source.startsWith("+" + close, at);
      if (strip || keep || (depth == 0 && source.startsWith(close, at))) {
        tokens.add(new Token(end, close, line));
        at += close.length() + (strip || keep ? 1 : 0);
        after(strip, block && !strip && !keep);
        return;
      }
      Token token = token();
      depth += "([{".contains(token.text()) && token.kind() == Kind.OPERATOR ? 1 : 0;
      depth -= ")]}".contains(token.text()) && token.kind() == Kind.OPERATOR ? 1 : 0;
      tokens.add(token);
    }
  }

  private Token token() {
    char c = source.charAt(at);
    int from = at;
    if (Character.isLetter(c) || c == '_') {
      while (at < source.length()
          && (Character.isLetterOrDigit(source.charAt(at)) || source.charAt(at) == '_')) {
        at++;
      }
      return new Token(Kind.NAME, source.substring(from, at), line);
    }
    if (c >= '0' && c <= '9') {
      return number();
    }
    if (c == '"' || c == '\'') {
      return string(c);
    }
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        at += operator.length();
        return new Token(Kind.OPERATOR, operator, line);
      }
    }
    throw broken("unexpected character '" + c + "'");
  }

  private Token number() {
    int from = at;
    digits();
    Kind kind = Kind.INTEGER;
    if (at + 1 < source.length()
        && source.charAt(at) == '.'
        && Character.isDigit(source.charAt(at + 1))) {
      at++;
      digits();
      kind = Kind.FLOAT;
    }
    int most = kind == Kind.INTEGER ? 18 : 40;
    if (at - from > most) {
      throw broken("a number of " + (at - from) + " digits; at most " + most + " are taken");
    }
    return new Token(kind, source.substring(from, at), line);
  }

  private void digits() {
    while (at < source.length() && source.charAt(at) >= '0' && source.charAt(at) <= '9') {
      at++;
    }
  }

  private Token string(char quote) {
    int first = line;
    StringBuilder text = new StringBuilder();
    at++;
    while (at < source.length() && source.charAt(at) != quote) {
      char c = source.charAt(at++);
      if (c == '\\' && at < source.length()) {
        escape(text);
      } else {
        line += c == '\n' ? 1 : 0;
        text.append(c);
      }
    }
    if (at >= source.length()) {
      throw broken("a string without its closing " + quote);
    }
    at++;
    return new Token(Kind.STRING, text.toString(), first);
  }

  private void escape(StringBuilder text) {
    char c = source.charAt(at++);
    switch (c) {
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case '\\', '\'', '"' -> text.append(c);
      case '\n' -> line++;
      case 'x', 'u', 'U' -> {
        int digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        String hex = at + digits > source.length() ? "" : source.substring(at, at + digits);
        if (!hex.matches("[0-9A-Fa-f]+") || Long.parseLong(hex, 16) > Character.MAX_CODE_POINT) {
          throw broken("escape \\" + c + " without its hexadecimal digits");
        }
        text.appendCodePoint(Integer.parseInt(hex, 16));
        at += digits;
      }
      default -> text.append('\\').append(c);
    }
  }
}
