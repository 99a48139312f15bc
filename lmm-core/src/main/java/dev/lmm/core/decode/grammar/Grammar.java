package dev.lmm.core.decode.grammar;

import dev.lmm.Check;
import dev.lmm.CheckpointException;
import dev.lmm.InvalidRequestException;
import dev.lmm.core.decode.Constraint;
import dev.lmm.core.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A form that answers keep to. What a model writes under it matches, always: also when the tokens
 * allowed run out, for towards the end only what can be finished in time may come. Immutable and
 * thread-safe; make one and use it for many answers, for its masks are computed once for each
 * vocabulary.
 *
 * <pre>{@code
 * Grammar boxes = Grammar.regex("\\[(\\d{1,4}, ){3}\\d{1,4}\\]");
 * options.grammar(boxes.over(TokenBytes.of(tokenizer)));
 * }</pre>
 */
public final class Grammar {
  /** Blanks between the parts of JSON. */
  public enum Spacing {
    /** None at all. */
    NONE,
    /** One blank after each comma and colon, as most models write on one line. */
    SINGLE,
    /** Up to 16 blanks, tabs and line breaks wherever JSON allows them: the model's own way. */
    FREE
  }

  private final Nfa nfa;
  private final String description;
  private final Map<TokenBytes, Automaton> automata = new ConcurrentHashMap<>();

  private Grammar(Expr expr, String description) {
    this.nfa = new Nfa(expr);
    this.description = description;
  }

  /**
   * Texts that match a regular expression from beginning to end.
   *
   * @param pattern characters, {@code .}, classes, groups, {@code |}, quantifiers up to 10,000,
   *     {@code \d \w \s \p{..}}; {@code ^} and {@code $} at the ends
   * @return the grammar
   * @throws InvalidRequestException if it is broken, too large, or not regular (look-around,
   *     back-references), naming the place
   */
  public static Grammar regex(String pattern) {
    return new Grammar(Regex.whole(Check.notNull(pattern, "pattern")), "regex " + pattern);
  }

  /**
   * JSON that satisfies a schema, with one blank after commas and colons.
   *
   * @param schema a JSON schema
   * @return the grammar
   * @throws InvalidRequestException as {@link #jsonSchema(String, Spacing)}
   */
  public static Grammar jsonSchema(String schema) {
    return jsonSchema(schema, Spacing.SINGLE);
  }

  /**
   * JSON that satisfies a schema. Properties come in the order of the schema; those that {@code
   * required} does not name may be left out. Numbers keep to {@code minimum}, {@code maximum} and
   * their exclusive forms; integers have at most 15 digits, fractions at most 6. Values without a
   * schema, and schemas that refer to themselves, nest at most 5 deep. Names that the model chooses
   * itself (an object without properties) may come twice, which JSON allows and some readers
   * refuse.
   *
   * <p>Keywords: type, enum, const, properties, required, additionalProperties, minProperties,
   * maxProperties, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format
   * (date, time, date-time, uuid), minimum, maximum, exclusiveMinimum, exclusiveMaximum, anyOf,
   * oneOf (of different types), allOf (of one), $ref into the same schema, and annotations.
   *
   * @param schema a JSON schema
   * @param spacing blanks between parts
   * @return the grammar
   * @throws InvalidRequestException if it is no JSON, holds a keyword that is not supported, cannot
   *     be satisfied, or is too large, naming the place
   */
  public static Grammar jsonSchema(String schema, Spacing spacing) {
    Json json;
    try {
      json = Json.parse(Check.notNull(schema, "schema").getBytes(StandardCharsets.UTF_8), "schema");
    } catch (CheckpointException e) {
      throw new InvalidRequestException(String.valueOf(e.getMessage()), e);
    }
    return new Grammar(new JsonSchema(json, spacing).expr(), "schema");
  }

  /**
   * The constraint for the tokens of one tokenizer.
   *
   * @param tokens its bytes; keep it, for masks are remembered by it
   * @return makes the constraint of each answer
   * @throws InvalidRequestException if no text of these tokens satisfies the grammar
   */
  public Constraint.Source over(TokenBytes tokens) {
    Automaton automaton =
        automata.computeIfAbsent(
            Check.notNull(tokens, "tokens"), t -> new Automaton(nfa, t, description));
    return () -> new Walk(automaton, automaton.start(), description);
  }

  /**
   * Whether a text satisfies it.
   *
   * @param text any text
   * @return true if all of it matches
   */
  public boolean matches(String text) {
    byte[] @Nullable [] each = new byte[256][];
    for (int b = 0; b < 256; b++) {
      each[b] = new byte[] {(byte) b};
    }
    Automaton automaton;
    try {
      automaton = new Automaton(nfa, TokenBytes.of(each), description);
    } catch (InvalidRequestException e) {
      return false;
    }
    Automaton.State end = automaton.after(automaton.start(), text.getBytes(StandardCharsets.UTF_8));
    return end != null && end.accepting();
  }

  /** One answer's way through the automaton. */
  private static final class Walk implements Constraint {
    private final Automaton automaton;
    private final String description;
    private Automaton.State state;

    Walk(Automaton automaton, Automaton.State state, String description) {
      this.automaton = automaton;
      this.state = state;
      this.description = description;
    }

    @Override
    public void mask(float[] scores, int[] endIds, int left) {
      Automaton.Mask mask = automaton.mask(state);
      if (mask.farthest() > left - 1) {
        mask = automaton.maskWithin(state, left - 1);
      }
      float[] ends = new float[endIds.length];
      for (int i = 0; i < ends.length; i++) {
        ends[i] = endIds[i] < scores.length ? scores[endIds[i]] : 0;
      }
      long[] allowed = mask.allowed();
      for (int from = 0; from < scores.length; from += 64) {
        int to = Math.min(from + 64, scores.length);
        long word = from >> 6 < allowed.length ? allowed[from >> 6] : 0;
        if (word == 0) {
          Arrays.fill(scores, from, to, Float.NEGATIVE_INFINITY);
        } else if (word != -1) {
          for (int id = from; id < to; id++) {
            if ((word >>> id & 1) == 0) {
              scores[id] = Float.NEGATIVE_INFINITY;
            }
          }
        }
      }
      for (int i = 0; i < ends.length; i++) {
        if (endIds[i] < scores.length) {
          scores[endIds[i]] = state.accepting() ? ends[i] : Float.NEGATIVE_INFINITY;
        }
      }
    }

    @Override
    public void accept(int id) {
      Automaton.State next = automaton.take(state, id);
      if (next == null) {
        throw new InvalidRequestException(description + ": token " + id + " may not come here");
      }
      state = next;
    }

    @Override
    public boolean complete() {
      return state.accepting();
    }

    @Override
    public boolean finished() {
      return state.last();
    }

    @Override
    public int shortest() {
      return state.distance();
    }

    @Override
    public Constraint fork() {
      return new Walk(automaton, state, description);
    }
  }
}
