@echo off
rem Builds the command line if it was never built, and runs it.
setlocal
set ROOT=%~dp0
if not exist "%ROOT%lmm-cli\target\built" (
  echo lmm: building ^(the first time takes a few minutes^) 1>&2
  pushd "%ROOT%"
  call mvn -q -B package -pl lmm-cli -am -DskipTests -Dspotless.check.skip -Dmaven.javadoc.skip -Dmaven.source.skip %LMM_MAVEN_ARGS% 1>&2 || exit /b 1
  popd
  type nul > "%ROOT%lmm-cli\target\built"
)
set "MORE="
if defined LMM_CLASSPATH set "MORE=;%LMM_CLASSPATH%"
java --enable-native-access=ALL-UNNAMED -cp "%ROOT%lmm-cli\target\classes;%ROOT%lmm-cli\target\lib\*%MORE%" dev.lmm.cli.Main %*
