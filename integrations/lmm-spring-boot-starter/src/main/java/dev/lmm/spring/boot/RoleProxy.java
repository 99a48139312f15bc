package dev.lmm.spring.boot;

import dev.lmm.Answer;
import dev.lmm.CaptionRequest;
import dev.lmm.CaptionsRequest;
import dev.lmm.ChatRequest;
import dev.lmm.Conversation;
import dev.lmm.EmbedRequest;
import dev.lmm.GenerateRequest;
import dev.lmm.LocateRequest;
import dev.lmm.MatchRequest;
import dev.lmm.RetrieveRequest;
import dev.lmm.TokenStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A role of a model that is loaded when it is first used, every run of which is counted. Closing it
 * does nothing: the application's context closes the model.
 */
final class RoleProxy implements InvocationHandler {
  /** Methods that say something and compute nothing. */
  private static final Set<String> QUIET =
      Set.of("info", "summary", "inspect", "dimension", "schedulers", "turns", "said", "stop");

  private final String role;
  private final String model;
  private final Supplier<?> target;
  private final Runs runs;
  private final boolean closes;

  private RoleProxy(String role, String model, Supplier<?> target, Runs runs, boolean closes) {
    this.role = role;
    this.model = model;
    this.target = target;
    this.runs = runs;
    this.closes = closes;
  }

  static <T> T of(
      Class<T> type, String role, String model, Supplier<? extends T> target, Runs runs) {
    return proxy(type, new RoleProxy(role, model, target, runs, false));
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments)
      throws Throwable {
    if (method.getDeclaringClass() == Object.class) {
      return switch (method.getName()) {
        case "equals" -> arguments != null && arguments[0] == proxy;
        case "hashCode" -> System.identityHashCode(proxy);
        default -> role + " " + model;
      };
    }
    String name = method.getName();
    if (name.equals("close") && !closes) {
      return null;
    }
    Class<?> result = method.getReturnType();
    boolean begins =
        QUIET.contains(name) || name.equals("close") || result.getSimpleName().endsWith("Request");
    if (begins) {
      return counted(call(method, arguments), name);
    }
    if (result == Conversation.class) {
      Conversation conversation = (Conversation) call(method, arguments);
      return proxy(Conversation.class, new RoleProxy(role, model, () -> conversation, runs, true));
    }
    return runs.run(role, model, name, () -> quietly(method, arguments));
  }

  private @Nullable Object call(Method method, Object @Nullable [] arguments) throws Throwable {
    try {
      return method.invoke(target.get(), arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }

  private @Nullable Object quietly(Method method, Object @Nullable [] arguments) {
    try {
      return call(method, arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new UndeclaredThrowableException(e);
    }
  }

  /** A request whose run is counted, or what it is. */
  private @Nullable Object counted(@Nullable Object result, String name) {
    if (result instanceof EmbedRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof GenerateRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof LocateRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof MatchRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof RetrieveRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof CaptionsRequest request) {
      return request.around(runner -> r -> runs.run(role, model, name, () -> runner.apply(r)));
    }
    if (result instanceof CaptionRequest request) {
      return request.around(
          runner -> (r, pieces) -> runs.run(role, model, name, () -> runner.run(r, pieces)));
    }
    if (result instanceof ChatRequest request) {
      return request.around(
          runner ->
              r -> {
                Runs.Run run = runs.begin(role, model, name);
                try {
                  return new CountedStream(runner.apply(r), run);
                } catch (RuntimeException | Error e) {
                  run.end(e);
                  throw e;
                }
              });
    }
    return result;
  }

  /** An answer, which is a run until it is over or closed. */
  private final class CountedStream implements TokenStream {
    private final TokenStream stream;
    private final Runs.Run run;
    private boolean told;

    CountedStream(TokenStream stream, Runs.Run run) {
      this.stream = stream;
      this.run = run;
    }

    @Override
    public boolean hasNext() {
      boolean more = stream.hasNext();
      if (!more) {
        over();
      }
      return more;
    }

    @Override
    public Piece next() {
      try {
        return stream.next();
      } catch (RuntimeException | Error e) {
        run.end(e);
        throw e;
      }
    }

    @Override
    public Answer answer() {
      return stream.answer();
    }

    @Override
    public void close() {
      over();
      stream.close();
    }

    private void over() {
      if (!told) {
        told = true;
        Answer answer = stream.answer();
        runs.listeners().forEach(listener -> listener.answered(model, answer, run.took()));
        run.end(null);
      }
    }
  }
}
