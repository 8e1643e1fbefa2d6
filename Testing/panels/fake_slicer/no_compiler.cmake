# Nothing is compiled, so no compiler has to be there.
foreach(language C CXX)
  set(CMAKE_${language}_COMPILER ${CMAKE_COMMAND})
  set(CMAKE_${language}_COMPILER_ID_RUN TRUE)
  set(CMAKE_${language}_COMPILER_ID GNU)
  set(CMAKE_${language}_COMPILER_VERSION 13)
  set(CMAKE_${language}_COMPILER_FORCED TRUE)
endforeach()
