package dev.lmm.core.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The parts of a parsed template. */
sealed interface Node {
  /** An expression. */
  sealed interface Expr extends Node {
    /** Where it stands, from 1. */
    int line();
  }

  /** A constant. */
  record Constant(Object value, int line) implements Expr {}

  /** A variable. */
  record Name(String name, int line) implements Expr {}

  /** A list or tuple. */
  record ListOf(List<Expr> items, int line) implements Expr {}

  /** A mapping. */
  record DictOf(List<Expr> keys, List<Expr> values, int line) implements Expr {}

  /** {@code a.b}. */
  record Attribute(Expr of, String name, int line) implements Expr {}

  /** {@code a[b]}. */
  record Item(Expr of, Expr key, int line) implements Expr {}

  /** {@code a[from:to:step]}. */
  record Slice(Expr of, @Nullable Expr from, @Nullable Expr to, @Nullable Expr step, int line)
      implements Expr {}

  /** {@code f(args, name=value)}. */
  record Call(Expr function, List<Expr> args, List<String> names, List<Expr> values, int line)
      implements Expr {}

  /** {@code a | name(args)}. */
  record Filter(
      Expr of, String name, List<Expr> args, List<String> names, List<Expr> values, int line)
      implements Expr {}

  /** {@code a is name(args)}. */
  record Test(Expr of, String name, List<Expr> args, boolean negated, int line) implements Expr {}

  /** {@code -a}, {@code +a}, {@code not a}. */
  record Unary(String operator, Expr of, int line) implements Expr {}

  /** Any operator between two; {@code and} and {@code or} look at the second only if they must. */
  record Binary(String operator, Expr left, Expr right, int line) implements Expr {}

  /** {@code a if condition else b}. */
  record Choice(Expr condition, Expr then, @Nullable Expr otherwise, int line) implements Expr {}

  /** Text as it is. */
  record Data(String text) implements Node {}

  /** {@code {{ a }}}. */
  record Print(Expr value) implements Node {}

  /** {@code if} with its branches; the condition of the last is null for else. */
  record If(List<Branch> branches) implements Node {}

  /** One way of an if. */
  record Branch(@Nullable Expr condition, List<Node> body) {}

  /** {@code for}. */
  record For(
      List<String> targets,
      Expr over,
      @Nullable Expr condition,
      List<Node> body,
      List<Node> otherwise,
      int line)
      implements Node {}

  /** {@code set a, b = value} or {@code set ns.a = value}. */
  record SetTo(List<String> names, @Nullable String attribute, Expr value, int line)
      implements Node {}

  /** {@code set a}body{@code endset}. */
  record SetBlock(String name, List<Node> body) implements Node {}

  /** {@code macro name(parameters)}. */
  record Macro(String name, List<String> parameters, List<@Nullable Expr> defaults, List<Node> body)
      implements Node {}

  /** Statements that only mark something, such as {@code generation}. */
  record Group(List<Node> body) implements Node {}

  /** {@code break} or {@code continue}. */
  record Jump(boolean out) implements Node {}
}
