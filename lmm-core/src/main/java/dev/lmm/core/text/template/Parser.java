package dev.lmm.core.text.template;

import dev.lmm.CheckpointException;
import dev.lmm.UnsupportedModelException;
import dev.lmm.core.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads statements and expressions with Jinja's precedence. */
final class Parser {
  private static final int DEEPEST = 200;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");

  private final String name;
  private final List<Token> tokens;
  private int at;
  private int depth;
  private int loops;

  Parser(String name, String source) {
    this.name = name;
    this.tokens = new Lexer(name, source).tokens();
  }

  List<Node> parse() {
    List<Node> body = body(Set.of());
    if (peek().kind() != Kind.END) {
      throw broken("unexpected " + peek());
    }
    return body;
  }

  private Token peek() {
    return tokens.get(at);
  }

  private Token take() {
    Token token = tokens.get(at);
    if (token.kind() != Kind.END) {
      at++;
    }
    return token;
  }

  private boolean skip(String text) {
    if (peek().is(text)) {
      at++;
      return true;
    }
    return false;
  }

  private void expect(String text) {
    if (!skip(text)) {
      throw broken("found " + peek() + "; expected '" + text + "'");
    }
  }

  private Token expect(Kind kind) {
    if (peek().kind() != kind) {
      throw broken("found " + peek() + "; expected " + kind.name().toLowerCase(Locale.ROOT));
    }
    return take();
  }

  private CheckpointException broken(String what) {
    return new CheckpointException(name + " line " + peek().line() + ": " + what);
  }

  private void deeper() {
    if (++depth > DEEPEST) {
      throw broken("nested deeper than " + DEEPEST);
    }
  }

  /** Statements up to a block that begins with one of the words, whose begin is taken. */
  private List<Node> body(Set<String> ends) {
    deeper();
    List<Node> nodes = new ArrayList<>();
    while (peek().kind() != Kind.END) {
      Token token = take();
      switch (token.kind()) {
        case DATA -> nodes.add(new Node.Data(token.text()));
        case PRINT_BEGIN -> {
          nodes.add(new Node.Print(tuple()));
          expect(Kind.PRINT_END);
        }
        case BLOCK_BEGIN -> {
          if (peek().kind() == Kind.NAME && ends.contains(peek().text())) {
            depth--;
            return nodes;
          }
          nodes.add(statement());
        }
        default -> throw broken("unexpected " + token);
      }
    }
    if (!ends.isEmpty()) {
      throw broken("the template ends; expected " + String.join(" or ", ends));
    }
    depth--;
    return nodes;
  }

  private Node statement() {
    Token word = expect(Kind.NAME);
    switch (word.text()) {
      case "if" -> {
        return ifs();
      }
      case "for" -> {
        return loop(word.line());
      }
      case "set" -> {
        return set(word.line());
      }
      case "macro" -> {
        return macro();
      }
      case "generation" -> {
        expect(Kind.BLOCK_END);
        List<Node> body = body(Set.of("endgeneration"));
        end("endgeneration");
        return new Node.Group(body);
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw broken(word.text() + " outside a loop");
        }
        expect(Kind.BLOCK_END);
        return new Node.Jump(word.text().equals("break"));
      }
      default ->
          throw new UnsupportedModelException(
              name
                  + " line "
                  + word.line()
                  + ": tag '"
                  + word.text()
                  + "' is not supported; known are if, for, set, macro, break, continue, generation");
    }
  }

  private void end(String word) {
    expect(word);
    expect(Kind.BLOCK_END);
  }

  private Node ifs() {
    List<Node.Branch> branches = new ArrayList<>();
    Node.@Nullable Expr condition = expression();
    while (true) {
      expect(Kind.BLOCK_END);
      List<Node> body = body(condition == null ? Set.of("endif") : Set.of("elif", "else", "endif"));
      branches.add(new Node.Branch(condition, body));
      Token word = take();
      if (word.is("endif")) {
        expect(Kind.BLOCK_END);
        return new Node.If(branches);
      }
      condition = word.is("elif") ? expression() : null;
    }
  }

  private Node loop(int line) {
    List<String> targets = names();
    expect("in");
    Node.Expr over = orExpression();
    Node.Expr condition = skip("if") ? expression() : null;
    if (peek().is("recursive")) {
      throw new UnsupportedModelException(
          name + " line " + line + ": a recursive loop is not supported");
    }
    expect(Kind.BLOCK_END);
    loops++;
    List<Node> body = body(Set.of("else", "endfor"));
    loops--;
    List<Node> otherwise = List.of();
    if (skip("else")) {
      expect(Kind.BLOCK_END);
      otherwise = body(Set.of("endfor"));
    }
    end("endfor");
    return new Node.For(targets, over, condition, body, otherwise, line);
  }

  private List<String> names() {
    List<String> names = new ArrayList<>();
    boolean open = skip("(");
    do {
      names.add(expect(Kind.NAME).text());
    } while (skip(","));
    if (open) {
      expect(")");
    }
    return names;
  }

  private Node set(int line) {
    List<String> names = names();
    String attribute = null;
    if (names.size() == 1 && skip(".")) {
      attribute = expect(Kind.NAME).text();
    }
    if (skip("=")) {
      Node.Expr value = tuple();
      expect(Kind.BLOCK_END);
      return new Node.SetTo(names, attribute, value, line);
    }
    if (names.size() > 1 || attribute != null) {
      throw broken("found " + peek() + "; expected '='");
    }
    expect(Kind.BLOCK_END);
    List<Node> body = body(Set.of("endset"));
    end("endset");
    return new Node.SetBlock(names.get(0), body);
  }

  private Node macro() {
    String called = expect(Kind.NAME).text();
    List<String> parameters = new ArrayList<>();
    List<Node.@Nullable Expr> defaults = new ArrayList<>();
    expect("(");
    while (!skip(")")) {
      parameters.add(expect(Kind.NAME).text());
      defaults.add(skip("=") ? expression() : null);
      if (!peek().is(")")) {
        expect(",");
      }
    }
    expect(Kind.BLOCK_END);
    int outside = loops;
    loops = 0;
    List<Node> body = body(Set.of("endmacro"));
    loops = outside;
    end("endmacro");
    return new Node.Macro(called, parameters, defaults, body);
  }

  // Expressions.

  private Node.Expr tuple() {
    Node.Expr first = expression();
    if (!peek().is(",")) {
      return first;
    }
    List<Node.Expr> items = new ArrayList<>(List.of(first));
    while (skip(",")) {
      items.add(expression());
    }
    return new Node.ListOf(items, first.line());
  }

  private Node.Expr expression() {
    deeper();
    Node.Expr value = orExpression();
    while (peek().is("if")) {
      int line = take().line();
      Node.Expr condition = orExpression();
      Node.Expr otherwise = skip("else") ? expression() : null;
      value = new Node.Choice(condition, value, otherwise, line);
    }
    depth--;
    return value;
  }

  private Node.Expr orExpression() {
    Node.Expr left = andExpression();
    while (peek().is("or")) {
      int line = take().line();
      left = new Node.Binary("or", left, andExpression(), line);
    }
    return left;
  }

  private Node.Expr andExpression() {
    Node.Expr left = notExpression();
    while (peek().is("and")) {
      int line = take().line();
      left = new Node.Binary("and", left, notExpression(), line);
    }
    return left;
  }

  private Node.Expr notExpression() {
    if (peek().is("not")) {
      int line = take().line();
      deeper();
      Node.Expr of = notExpression();
      depth--;
      return new Node.Unary("not", of, line);
    }
    return comparison();
  }

  private Node.Expr comparison() {
    Node.Expr left = sum();
    Node.Expr all = null;
    while (true) {
      Token token = peek();
      String operator;
      if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operator = take().text();
      } else if (skip("in")) {
        operator = "in";
      } else if (token.is("not") && tokens.get(at + 1).is("in")) {
        at += 2;
        operator = "not in";
      } else {
        return all == null ? left : all;
      }
      Node.Expr right = sum();
      Node.Expr one = new Node.Binary(operator, left, right, token.line());
      // a < b < c means a < b and b < c.
      all = all == null ? one : new Node.Binary("and", all, one, token.line());
      left = right;
    }
  }

  private Node.Expr sum() {
    Node.Expr left = concatenation();
    while (peek().is("+") || peek().is("-")) {
      Token operator = take();
      left = new Node.Binary(operator.text(), left, concatenation(), operator.line());
    }
    return left;
  }

  private Node.Expr concatenation() {
    Node.Expr left = product();
    while (peek().is("~")) {
      int line = take().line();
      left = new Node.Binary("~", left, product(), line);
    }
    return left;
  }

  private Node.Expr product() {
    Node.Expr left = unary(true);
    while (peek().is("*") || peek().is("/") || peek().is("//") || peek().is("%")) {
      Token operator = take();
      left = new Node.Binary(operator.text(), left, unary(true), operator.line());
    }
    return left;
  }

  private Node.Expr unary(boolean filters) {
    Node.Expr value;
    if (peek().is("-") || peek().is("+")) {
      Token operator = take();
      deeper();
      value = new Node.Unary(operator.text(), unary(false), operator.line());
      depth--;
    } else {
      value = postfix(primary());
    }
    return filters ? filtered(value) : value;
  }

  private Node.Expr primary() {
    Token token = take();
    int line = token.line();
    switch (token.kind()) {
      case INTEGER -> {
        return new Node.Constant(Long.parseLong(token.text()), line);
      }
      case FLOAT -> {
        return new Node.Constant(Double.parseDouble(token.text()), line);
      }
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (peek().kind() == Kind.STRING) {
          text.append(take().text());
        }
        return new Node.Constant(Text.template(text.toString()), line);
      }
      case NAME -> {
        return switch (token.text()) {
          case "true", "True" -> new Node.Constant(true, line);
          case "false", "False" -> new Node.Constant(false, line);
          case "none", "None" -> new Node.Constant(Values.NONE, line);
          default -> new Node.Name(token.text(), line);
        };
      }
      default -> {
        if (token.is("(")) {
          return parenthesized(line);
        }
        if (token.is("[")) {
          return new Node.ListOf(items("]"), line);
        }
        if (token.is("{")) {
          return dict(line);
        }
        at--;
        throw broken("found " + token + "; expected an expression");
      }
    }
  }

  private Node.Expr parenthesized(int line) {
    if (skip(")")) {
      return new Node.ListOf(List.of(), line);
    }
    Node.Expr first = expression();
    if (skip(")")) {
      return first;
    }
    expect(",");
    List<Node.Expr> all = new ArrayList<>(List.of(first));
    all.addAll(items(")"));
    return new Node.ListOf(all, line);
  }

  private List<Node.Expr> items(String close) {
    List<Node.Expr> items = new ArrayList<>();
    while (!skip(close)) {
      items.add(expression());
      if (!peek().is(close)) {
        expect(",");
      }
    }
    return items;
  }

  private Node.Expr dict(int line) {
    List<Node.Expr> keys = new ArrayList<>();
    List<Node.Expr> values = new ArrayList<>();
    while (!skip("}")) {
      keys.add(expression());
      expect(":");
      values.add(expression());
      if (!peek().is("}")) {
        expect(",");
      }
    }
    return new Node.DictOf(keys, values, line);
  }

  private Node.Expr postfix(Node.Expr value) {
    while (true) {
      int line = peek().line();
      if (skip(".")) {
        value = new Node.Attribute(value, expect(Kind.NAME).text(), line);
      } else if (skip("[")) {
        value = subscript(value, line);
      } else if (skip("(")) {
        Arguments arguments = arguments();
        value = new Node.Call(value, arguments.args, arguments.names, arguments.values, line);
      } else {
        return value;
      }
    }
  }

  private Node.Expr subscript(Node.Expr of, int line) {
    Node.Expr from = peek().is(":") ? null : expression();
    if (from != null && skip("]")) {
      return new Node.Item(of, from, line);
    }
    expect(":");
    Node.Expr to = peek().is(":") || peek().is("]") ? null : expression();
    Node.Expr step = skip(":") && !peek().is("]") ? expression() : null;
    expect("]");
    return new Node.Slice(of, from, to, step, line);
  }

  private record Arguments(List<Node.Expr> args, List<String> names, List<Node.Expr> values) {}

  private Arguments arguments() {
    Arguments found = new Arguments(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    while (!skip(")")) {
      if (peek().is("*") || peek().is("**")) {
        throw new UnsupportedModelException(
            name + " line " + peek().line() + ": unpacked arguments are not supported");
      }
      if (peek().kind() == Kind.NAME && tokens.get(at + 1).is("=")) {
        found.names.add(take().text());
        at++;
        found.values.add(expression());
      } else {
        found.args.add(expression());
      }
      if (!peek().is(")")) {
        expect(",");
      }
    }
    return found;
  }

  private Node.Expr filtered(Node.Expr value) {
    while (true) {
      int line = peek().line();
      if (skip("|")) {
        String filter = expect(Kind.NAME).text();
        Arguments arguments =
            skip("(") ? arguments() : new Arguments(List.of(), List.of(), List.of());
        value =
            new Node.Filter(value, filter, arguments.args, arguments.names, arguments.values, line);
      } else if (skip("is")) {
        boolean negated = skip("not");
        String test = expect(Kind.NAME).text();
        List<Node.Expr> args = List.of();
        if (skip("(")) {
          args = arguments().args;
        } else if (startsArgument()) {
          args = List.of(postfix(primary()));
        }
        value = new Node.Test(value, test, args, negated, line);
      } else {
        return value;
      }
    }
  }

  private boolean startsArgument() {
    Token next = peek();
    return switch (next.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(next.text());
      case OPERATOR -> next.is("[") || next.is("{");
      default -> false;
    };
  }
}
