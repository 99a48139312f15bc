package com.example;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.gradle.api.Project;
import org.gradle.api.artifacts.dsl.DependencyHandler;
import org.gradle.testfixtures.ProjectBuilder;

/**
 * A project of Gradle that imports the BOM as a platform and names artifacts without versions. What
 * Gradle finds for it compiles a program and runs it. No JUnit: Gradle's classes bring an old one.
 */
public final class Platform {
  private final Path folder;
  private final String version;

  private Platform(Path folder, String version) {
    this.folder = folder;
    this.version = version;
  }

  /** Arguments: an empty folder, lmm's version, its repository, Maven's, the program's source. */
  public static void main(String[] arguments) throws Exception {
    new Platform(Path.of(arguments[0]), arguments[1])
        .check(arguments[2], Path.of(arguments[3]), Path.of(arguments[4]));
    System.exit(0); // Gradle leaves threads
  }

  private void check(String repository, Path cache, Path source) throws Exception {
    Project project =
        ProjectBuilder.builder()
            .withProjectDir(Files.createDirectory(folder.resolve("project")).toFile())
            .withGradleUserHomeDir(folder.resolve("home").toFile())
            .build();
    project.getPluginManager().apply("java");
    project.getRepositories().maven(staged -> staged.setUrl(repository));
    // What Maven has fetched already, of which nothing is lmm's.
    System.setProperty("maven.repo.local", cache.toString());
    project.getRepositories().mavenLocal();
    project.getRepositories().mavenCentral();
    DependencyHandler dependencies = project.getDependencies();
    dependencies.add("implementation", dependencies.platform("dev.lmm:lmm-bom:" + version));
    for (String artifact : List.of("lmm-clip", "lmm-onnx", "lmm-tiny")) {
      dependencies.add("implementation", "dev.lmm:" + artifact);
    }

    Set<File> compile = project.getConfigurations().getByName("compileClasspath").resolve();
    Set<File> runtime = project.getConfigurations().getByName("runtimeClasspath").resolve();
    require(names(compile).contains("lmm-api-" + version + ".jar"), compile);
    require(names(runtime).contains("onnxruntime-1.28.0.jar"), runtime);
    require(
        names(runtime).stream()
            .filter(name -> name.startsWith("lmm-"))
            .allMatch(name -> name.endsWith("-" + version + ".jar")),
        runtime);
    String said = run(compile, runtime, source);
    require(said.equals("three white stars on a blue background"), said);
    System.out.println("Gradle " + project.getGradle().getGradleVersion() + ": " + said);
  }

  private static void require(boolean holds, Object found) {
    if (!holds) {
      throw new IllegalStateException("not as expected: " + found);
    }
  }

  private static Set<String> names(Set<File> files) {
    return files.stream().map(File::getName).collect(Collectors.toSet());
  }

  private String run(Set<File> compile, Set<File> runtime, Path source) throws Exception {
    Path classes = Files.createDirectory(folder.resolve("classes"));
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-d",
                classes.toString(),
                "-cp",
                path(compile),
                source.toString());
    require(status == 0, source);
    Path said = folder.resolve("said.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classes + File.pathSeparator + path(runtime),
                "Rank")
            .redirectOutput(said.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    boolean over = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly();
    require(over, "it hangs");
    return Files.readString(said, StandardCharsets.UTF_8).strip();
  }

  private static String path(Set<File> files) {
    return files.stream().map(File::getPath).collect(Collectors.joining(File.pathSeparator));
  }
}
