package dev.lmm.core.text.template;

import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.UnsupportedModelException;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs a parsed template once. */
final class Interpreter {
  /** Steps that one rendering may take: far more than any chat needs, and over in a second. */
  static final int MOST_STEPS = 5_000_000;

  private static final int DEEPEST_CALLS = 50;

  /**
   * Statements and expressions inside one another, over all macros: what a thread with a small
   * stack can hold. Published templates stay below 30.
   */
  private static final int DEEPEST = 400;

  private enum Signal {
    NONE,
    BREAK,
    CONTINUE
  }

  private static final class Scope {
    final @Nullable Scope outer;
    final Map<String, Object> values = new LinkedHashMap<>();

    Scope(@Nullable Scope outer) {
      this.outer = outer;
    }

    @Nullable Object find(String name) {
      for (Scope at = this; at != null; at = at.outer) {
        Object found = at.values.get(name);
        if (found != null) {
          return found;
        }
      }
      return null;
    }
  }

  private final String name;
  private final Clock clock;
  private final int mostSteps;
  private final Scope globals = new Scope(null);
  private Scope scope = globals;
  private TextBuilder out = new TextBuilder();
  private int steps;
  private int calls;
  private int depth;

  Interpreter(String name, Map<String, Object> variables, Clock clock, int mostSteps) {
    this.name = name;
    this.clock = clock;
    this.mostSteps = mostSteps;
    globals.values.put("raise_exception", (Values.Function) this::raise);
    globals.values.put("namespace", (Values.Function) this::namespace);
    globals.values.put("dict", (Values.Function) Interpreter::dict);
    globals.values.put("range", (Values.Function) Interpreter::range);
    globals.values.put("strftime_now", (Values.Function) this::now);
    globals.values.putAll(variables);
  }

  Text run(List<Node> nodes) {
    try {
      body(nodes);
      return out.text();
    } catch (TemplateFailure e) {
      throw failed(0, e);
    }
  }

  private RuntimeException failed(int line, TemplateFailure e) {
    String message = name + (line > 0 ? " line " + line : "") + ": " + e.getMessage();
    return e.unsupported()
        ? new UnsupportedModelException(message)
        : new CheckpointException(message);
  }

  private void step() {
    if (++steps > mostSteps) {
      throw new TemplateFailure("takes more than " + mostSteps + " steps");
    }
  }

  private void deeper() {
    step();
    if (++depth > DEEPEST) {
      throw new TemplateFailure("nested deeper than " + DEEPEST);
    }
  }

  // Functions.

  private Object raise(List<Object> args, Map<String, Object> named) {
    String why = Values.text(Filters.arg(args, 0, "raise_exception")).toString();
    throw new InvalidRequestException(
        "messages: the chat template ("
            + name
            + ") refuses them: "
            + (why.length() > 1000 ? why.substring(0, 1000) + "..." : why));
  }

  private Object namespace(List<Object> args, Map<String, Object> named) {
    return new Values.Namespace(new LinkedHashMap<>(named));
  }

  private static Object dict(List<Object> args, Map<String, Object> named) {
    Map<Text, Object> map = new LinkedHashMap<>();
    named.forEach((key, value) -> map.put(Text.template(key), value));
    return map;
  }

  private static Object range(List<Object> args, Map<String, Object> named) {
    long from = args.size() > 1 ? Values.integer(args.get(0), "range") : 0;
    long to = Values.integer(Filters.arg(args, args.size() > 1 ? 1 : 0, "range"), "range");
    long by = args.size() > 2 ? Values.integer(args.get(2), "range") : 1;
    if (by == 0 || Math.abs((double) to - from) / Math.abs((double) by) > 100_000) {
      throw new TemplateFailure("range: has more than 100000 items");
    }
    List<Object> items = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      items.add(i);
    }
    return items;
  }

  private Object now(List<Object> args, Map<String, Object> named) {
    return Text.template(
        Dates.format(Values.text(Filters.arg(args, 0, "strftime_now")).value(), clock));
  }

  // Statements.

  private Signal body(List<Node> nodes) {
    for (Node node : nodes) {
      deeper();
      Signal signal = node(node);
      depth--;
      if (signal != Signal.NONE) {
        return signal;
      }
    }
    return Signal.NONE;
  }

  private Signal node(Node node) {
    if (node instanceof Node.Data data) {
      out.add(Text.template(data.text()));
    } else if (node instanceof Node.Print print) {
      Object value = value(print.value());
      at(print.value().line(), () -> out.add(Values.text(value)));
    } else if (node instanceof Node.If choice) {
      for (Node.Branch branch : choice.branches()) {
        if (branch.condition() == null || Values.truth(value(branch.condition()))) {
          return body(branch.body());
        }
      }
    } else if (node instanceof Node.For loop) {
      loop(loop);
    } else if (node instanceof Node.SetTo set) {
      Object value = value(set.value());
      at(set.line(), () -> assign(set, value));
    } else if (node instanceof Node.SetBlock set) {
      scope.values.put(set.name(), captured(set.body()));
    } else if (node instanceof Node.Macro macro) {
      scope.values.put(macro.name(), (Values.Function) (args, named) -> call(macro, args, named));
    } else if (node instanceof Node.Group group) {
      return body(group.body());
    } else if (node instanceof Node.Jump jump) {
      return jump.out() ? Signal.BREAK : Signal.CONTINUE;
    }
    return Signal.NONE;
  }

  private void at(int line, Runnable work) {
    try {
      work.run();
    } catch (TemplateFailure e) {
      throw failed(line, e);
    }
  }

  private Text captured(List<Node> body) {
    TextBuilder outside = out;
    out = new TextBuilder();
    try {
      body(body);
      return out.text();
    } finally {
      out = outside;
    }
  }

  private void assign(Node.SetTo set, Object value) {
    String first = set.names().get(0);
    if (set.attribute() != null) {
      if (scope.find(first) instanceof Values.Namespace namespace) {
        namespace.values().put(set.attribute(), value);
        return;
      }
      throw new TemplateFailure(
          "set " + first + "." + set.attribute() + ": " + first + " is no namespace");
    }
    bind(set.names(), value);
  }

  private void bind(List<String> names, Object value) {
    if (names.size() == 1) {
      scope.values.put(names.get(0), value);
      return;
    }
    List<Object> items = Filters.list(value);
    if (items.size() != names.size()) {
      throw new TemplateFailure(names.size() + " names for " + items.size() + " values");
    }
    for (int i = 0; i < items.size(); i++) {
      scope.values.put(names.get(i), items.get(i));
    }
  }

  private void loop(Node.For loop) {
    Object over = value(loop.over());
    Scope outside = scope;
    List<Object> items = new ArrayList<>();
    at(
        loop.line(),
        () -> {
          for (Object item : Filters.list(over)) {
            step();
            scope = new Scope(outside);
            bind(loop.targets(), item);
            if (loop.condition() == null || Values.truth(value(loop.condition()))) {
              items.add(item);
            }
          }
        });
    try {
      for (int i = 0; i < items.size(); i++) {
        scope = new Scope(outside);
        bind(loop.targets(), items.get(i));
        scope.values.put("loop", loopState(items, i));
        if (body(loop.body()) == Signal.BREAK) {
          break;
        }
      }
      if (items.isEmpty()) {
        scope = new Scope(outside);
        body(loop.otherwise());
      }
    } finally {
      scope = outside;
    }
  }

  private static Values.Namespace loopState(List<Object> items, int i) {
    Map<String, Object> state = new LinkedHashMap<>();
    int size = items.size();
    state.put("index", (long) i + 1);
    state.put("index0", (long) i);
    state.put("revindex", (long) size - i);
    state.put("revindex0", (long) size - i - 1);
    state.put("first", i == 0);
    state.put("last", i == size - 1);
    state.put("length", (long) size);
    state.put("previtem", i == 0 ? new Values.Undefined("previtem") : items.get(i - 1));
    state.put("nextitem", i == size - 1 ? new Values.Undefined("nextitem") : items.get(i + 1));
    state.put(
        "cycle",
        (Values.Function)
            (args, named) -> Filters.arg(args, args.isEmpty() ? 0 : i % args.size(), "cycle"));
    return new Values.Namespace(state);
  }

  private Object call(Node.Macro macro, List<Object> args, Map<String, Object> named) {
    if (++calls > DEEPEST_CALLS) {
      throw new TemplateFailure(
          "macro " + macro.name() + ": calls nested deeper than " + DEEPEST_CALLS);
    }
    Scope outside = scope;
    try {
      Scope inside = new Scope(globals);
      scope = inside;
      for (int i = 0; i < macro.parameters().size(); i++) {
        String parameter = macro.parameters().get(i);
        Node.Expr absent = macro.defaults().get(i);
        Object value =
            i < args.size()
                ? args.get(i)
                : named.containsKey(parameter)
                    ? named.get(parameter)
                    : absent != null ? value(absent) : new Values.Undefined(parameter);
        inside.values.put(parameter, value);
      }
      if (args.size() > macro.parameters().size()
          || !macro.parameters().containsAll(named.keySet())) {
        throw new TemplateFailure("macro " + macro.name() + ": takes " + macro.parameters());
      }
      return captured(macro.body());
    } finally {
      calls--;
      scope = outside;
    }
  }

  // Expressions.

  private Object value(Node.Expr expr) {
    try {
      deeper();
      Object value = evaluated(expr);
      depth--;
      return value;
    } catch (TemplateFailure e) {
      throw failed(expr.line(), e);
    }
  }

  private List<Object> values(List<Node.Expr> exprs) {
    List<Object> values = new ArrayList<>();
    for (Node.Expr each : exprs) {
      values.add(value(each));
    }
    return values;
  }

  private Map<String, Object> named(List<String> names, List<Node.Expr> exprs) {
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      named.put(names.get(i), value(exprs.get(i)));
    }
    return named;
  }

  private Object evaluated(Node.Expr expr) {
    if (expr instanceof Node.Constant constant) {
      return constant.value();
    }
    if (expr instanceof Node.Name variable) {
      Object found = scope.find(variable.name());
      return found != null ? found : new Values.Undefined("'" + variable.name() + "'");
    }
    if (expr instanceof Node.ListOf list) {
      return values(list.items());
    }
    if (expr instanceof Node.DictOf dict) {
      Map<Text, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < dict.keys().size(); i++) {
        map.put(Values.text(value(dict.keys().get(i))), value(dict.values().get(i)));
      }
      return map;
    }
    if (expr instanceof Node.Attribute attribute) {
      return attribute(value(attribute.of()), attribute.name());
    }
    if (expr instanceof Node.Item item) {
      return item(value(item.of()), value(item.key()));
    }
    if (expr instanceof Node.Slice slice) {
      return slice(slice);
    }
    if (expr instanceof Node.Call call) {
      return call(call);
    }
    if (expr instanceof Node.Filter filter) {
      return Filters.apply(
          filter.name(),
          value(filter.of()),
          values(filter.args()),
          named(filter.names(), filter.values()),
          this);
    }
    if (expr instanceof Node.Test test) {
      return Filters.test(test.name(), value(test.of()), values(test.args()), this)
          != test.negated();
    }
    if (expr instanceof Node.Unary unary) {
      Object value = value(unary.of());
      return switch (unary.operator()) {
        case "not" -> !Values.truth(value);
        case "-" ->
            value instanceof Long n ? (Object) (-n) : (Object) (-Values.numeric(value, "negate"));
        default -> value;
      };
    }
    if (expr instanceof Node.Choice choice) {
      return Values.truth(value(choice.condition()))
          ? value(choice.then())
          : choice.otherwise() == null
              ? new Values.Undefined("an if without else")
              : value(choice.otherwise());
    }
    return binary((Node.Binary) expr);
  }

  private Object call(Node.Call call) {
    String called =
        call.function() instanceof Node.Name variable
            ? variable.name()
            : call.function() instanceof Node.Attribute attribute ? attribute.name() : "?";
    Object function = value(call.function());
    if (!(function instanceof Values.Function callable)) {
      // A method that a text or mapping might have is missing here; of another value it is misused.
      boolean lacking =
          !(call.function() instanceof Node.Attribute attribute)
              || Methods.mayHave(value(attribute.of()));
      throw new TemplateFailure(
          lacking
              ? "function or method '" + called + "' is not supported"
              : "there is no method '" + called + "' to call",
          lacking);
    }
    return callable.call(values(call.args()), named(call.names(), call.values()));
  }

  /** {@code of.name}: a method, else what is there under the name. */
  Object attribute(Object of, String attribute) {
    if (of instanceof Values.Undefined undefined) {
      throw new TemplateFailure(undefined.what() + " is not defined, and has no " + attribute);
    }
    if (of instanceof Values.Namespace namespace) {
      Object found = namespace.values().get(attribute);
      return found != null ? found : new Values.Undefined("attribute '" + attribute + "'");
    }
    if (Methods.known(of, attribute)) {
      return Methods.of(of, attribute);
    }
    if (of instanceof Map<?, ?> map) {
      Object found = map.get(Text.template(attribute));
      return found != null ? found : new Values.Undefined("key '" + attribute + "'");
    }
    return new Values.Undefined("attribute '" + attribute + "'");
  }

  private Object item(Object of, Object key) {
    if (of instanceof List<?> || (of instanceof Text && key instanceof Long)) {
      List<Object> items = Filters.list(of);
      long index = Values.integer(key, "index");
      long at = index < 0 ? index + items.size() : index;
      return at >= 0 && at < items.size()
          ? items.get((int) at)
          : new Values.Undefined("item " + index);
    }
    if (of instanceof Map<?, ?> map) {
      Object found = map.get(Values.text(key));
      if (found != null) {
        return found;
      }
      return Methods.known(of, Values.text(key).value())
          ? Methods.of(of, Values.text(key).value())
          : new Values.Undefined("key '" + Values.text(key) + "'");
    }
    return attribute(of, Values.text(key).value());
  }

  private Object slice(Node.Slice slice) {
    Object of = value(slice.of());
    if (!(of instanceof Text || of instanceof List<?>)) {
      throw new TemplateFailure("cannot slice " + Values.kind(of));
    }
    List<Object> items = Filters.list(of);
    long step = bound(slice.step(), 1);
    if (step == 0) {
      throw new TemplateFailure("slice: the step is 0");
    }
    List<Object> taken = new ArrayList<>();
    if (step < 0) {
      if (slice.from() != null || slice.to() != null) {
        throw new TemplateFailure("a slice backwards between bounds is not supported", true);
      }
      Collections.reverse(items);
      step = -step;
    }
    long size = items.size();
    long from = clipped(bound(slice.from(), 0), size);
    long to = clipped(bound(slice.to(), size), size);
    for (long i = from; i < to; i += step) {
      taken.add(items.get((int) i));
    }
    return of instanceof Text ? Methods.joined(taken, Text.EMPTY) : taken;
  }

  private long bound(Node.@Nullable Expr expr, long absent) {
    if (expr == null) {
      return absent;
    }
    Object value = value(expr);
    return value == Values.NONE ? absent : Values.integer(value, "slice");
  }

  private static long clipped(long index, long size) {
    return Math.max(0, Math.min(size, index < 0 ? index + size : index));
  }

  /** Chains such as {@code a + b + c} lean to the left; they are walked, however long. */
  private Object binary(Node.Binary last) {
    Deque<Node.Binary> chain = new ArrayDeque<>();
    Node.Expr first = last;
    while (first instanceof Node.Binary binary) {
      step();
      chain.push(binary);
      first = binary.left();
    }
    Object left = value(first);
    while (!chain.isEmpty()) {
      left = binary(chain.pop(), left);
    }
    return left;
  }

  private Object binary(Node.Binary binary, Object left) {
    try {
      return switch (binary.operator()) {
        case "and" -> Values.truth(left) ? value(binary.right()) : left;
        case "or" -> Values.truth(left) ? left : value(binary.right());
        default -> operate(binary.operator(), left, value(binary.right()));
      };
    } catch (TemplateFailure e) {
      throw failed(binary.line(), e);
    }
  }

  private Object operate(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Values.equal(left, right);
      case "!=" -> !Values.equal(left, right);
      case "in" -> contains(right, left);
      case "not in" -> !contains(right, left);
      case "~" -> Values.text(left).plus(Values.text(right));
      case "+" -> sum(left, right);
      case "<" -> order(left, right) < 0;
      case ">" -> order(left, right) > 0;
      case "<=" -> order(left, right) <= 0;
      case ">=" -> order(left, right) >= 0;
      default -> arithmetic(operator, left, right);
    };
  }

  private static int order(Object left, Object right) {
    if (left instanceof Text a && right instanceof Text b) {
      return a.compareTo(b);
    }
    return Double.compare(Values.numeric(left, "order"), Values.numeric(right, "order"));
  }

  private static Object sum(Object left, Object right) {
    if (left instanceof Text a && right instanceof Text b) {
      return a.plus(b);
    }
    if (left instanceof List<?> a && right instanceof List<?> b) {
      List<Object> joined = new ArrayList<>(a);
      joined.addAll(b);
      return joined;
    }
    if (left instanceof Text || right instanceof Text) {
      throw new TemplateFailure("cannot add " + Values.kind(left) + " and " + Values.kind(right));
    }
    return arithmetic("+", left, right);
  }

  private static Object arithmetic(String operator, Object left, Object right) {
    if (left instanceof Text && operator.equals("%")) {
      throw new TemplateFailure("formatting with % is not supported", true);
    }
    if (left instanceof Text text && right instanceof Long times && operator.equals("*")) {
      if ((double) Math.max(0, times) * text.length() > 1_000_000) {
        throw new TemplateFailure("a text is repeated beyond 1000000 characters");
      }
      return Methods.joined(Collections.nCopies((int) Math.max(0, times), text), Text.EMPTY);
    }
    if (operator.equals("/")
        || !(left instanceof Long || left instanceof Boolean)
        || !(right instanceof Long || right instanceof Boolean)) {
      double a = Values.numeric(left, "compute with");
      double b = Values.numeric(right, "compute with");
      nonzero(operator, b);
      return switch (operator) {
        case "+" -> a + b;
        case "-" -> a - b;
        case "*" -> a * b;
        case "/" -> a / b;
        case "//" -> Math.floor(a / b);
        default -> a - Math.floor(a / b) * b;
      };
    }
    long a = Values.integer(left, operator);
    long b = Values.integer(right, operator);
    nonzero(operator, (double) b);
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "//" -> Math.floorDiv(a, b);
      default -> Math.floorMod(a, b);
    };
  }

  private static void nonzero(String operator, double divisor) {
    if (divisor == 0 && (operator.startsWith("/") || operator.equals("%"))) {
      throw new TemplateFailure("division by zero");
    }
  }

  boolean contains(Object where, Object what) {
    if (where instanceof Text text) {
      if (what instanceof Text part) {
        return text.value().contains(part.value());
      }
      throw new TemplateFailure("in: " + Values.kind(what) + " cannot be in a text");
    }
    if (where instanceof Map<?, ?> map) {
      return what instanceof Text && map.containsKey(what);
    }
    for (Object each : Filters.list(where)) {
      if (Values.equal(each, what)) {
        return true;
      }
    }
    return false;
  }
}
