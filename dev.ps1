# SPDX-License-Identifier: MIT
# The developer's command on Windows; ./dev has the same verbs for POSIX. CMake finds the compiler (Visual Studio or
# mingw-w64); vcpkg, where VCPKG_ROOT or VCPKG_INSTALLATION_ROOT says it is, brings cmocka.
# No param(): it would take what is meant for ctest, such as -R and -V, for its own.
$verb = if ($args.Count) { $args[0] } else { "help" }
$rest = @($args | Select-Object -Skip 1)
Set-StrictMode -Version 3
$ErrorActionPreference = "Stop"
Set-Location $PSScriptRoot

$config = "RelWithDebInfo"

function Show-Usage {
    Write-Output @"
usage: .\dev.ps1 VERB

  hello         build the library and the examples, and see two processes share Local\HelloWorld
  test [ARGS]   build everything and run all tests; ARGS go to ctest
  legs [NAME]   run every configuration that Windows has, or those named: default consumer
  bench         nothing on Windows: there a mapping is the native object itself
  soak          nothing on Windows: there what a killed process leaves is the system's matter
  format        format all C code
  lint          check formatting
  help          this
"@
}

function Stop-With([string] $text) {
    Write-Host "dev: $text"
    exit 1
}

function Invoke-Checked([string] $program, [string[]] $arguments) {
    & $program @arguments
    if ($LASTEXITCODE -ne 0) {
        Stop-With "failed: $program $arguments"
    }
}

# Finds a program, or installs it with winget.
function Find-Needed([string] $program, [string] $package, [string] $why) {
    if (Get-Command $program -ErrorAction SilentlyContinue) {
        return
    }
    if (-not (Get-Command winget -ErrorAction SilentlyContinue)) {
        Stop-With "missing: $program, $why. Please install it."
    }
    Write-Host "dev: missing: $program, ${why}: installing $package"
    Invoke-Checked winget @("install", "--silent", "--accept-package-agreements", "--accept-source-agreements",
        "--exact", "--id", $package)
    $env:PATH = [Environment]::GetEnvironmentVariable("PATH", "Machine") + ";" +
        [Environment]::GetEnvironmentVariable("PATH", "User") + ";" + $env:PATH
    if (-not (Get-Command $program -ErrorAction SilentlyContinue)) {
        Stop-With "$program was installed but is not found: please open a new window"
    }
}

function Find-Vcpkg {
    foreach ($root in @($env:VCPKG_ROOT, $env:VCPKG_INSTALLATION_ROOT)) {
        if ($root -and (Test-Path "$root/scripts/buildsystems/vcpkg.cmake")) {
            return $root
        }
    }
    Stop-With "vcpkg was not found (it brings cmocka for the tests): git clone https://github.com/microsoft/vcpkg, run its bootstrap-vcpkg.bat, and set VCPKG_ROOT to where it is"
}

# CMake finds Visual Studio by itself; anything else must be in the path.
function Assert-Compiler {
    $vswhere = "${env:ProgramFiles(x86)}/Microsoft Visual Studio/Installer/vswhere.exe"
    $studio = if (Test-Path $vswhere) {
        & $vswhere -latest -products * -requires Microsoft.VisualStudio.Component.VC.Tools.x86.x64 -property installationPath
    }
    $other = @("cl", "gcc", "clang") | Where-Object { Get-Command $_ -ErrorAction SilentlyContinue }
    if (-not $studio -and -not $other) {
        Stop-With "no C compiler: please install the Visual Studio Build Tools (winget install Microsoft.VisualStudio.2022.BuildTools, with the C++ workload) or mingw-w64"
    }
}

# Configures build/NAME and builds it.
function Build-Tree([string] $name, [string[]] $options) {
    Find-Needed cmake Kitware.CMake "the build system"
    Assert-Compiler
    Invoke-Checked cmake (@("-S", ".", "-B", "build/$name", "-DCMAKE_BUILD_TYPE=$config") + $options)
    Invoke-Checked cmake @("--build", "build/$name", "--config", $config, "--parallel")
}

# A program that was built, wherever the generator puts it.
function Get-Program([string] $folder, [string] $name) {
    foreach ($path in @("$folder/$config/$name.exe", "$folder/$name.exe")) {
        if (Test-Path $path) {
            return (Resolve-Path $path).Path
        }
    }
    Stop-With "$name.exe was not built"
}

function Invoke-Hello {
    Build-Tree "release" @("-DISTHMUS_BUILD_TESTS=OFF")
    $start = [Diagnostics.ProcessStartInfo]::new((Get-Program "build/release/examples" "hello_server"))
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $server = [Diagnostics.Process]::Start($start)
    try {
        do {
            $line = $server.StandardOutput.ReadLine()
            if ($null -eq $line) {
                Stop-With "the server ended before it was ready"
            }
            Write-Host "server | $line"
        } until ($line -match "Press Enter")
        $said = @(& (Get-Program "build/release/examples" "hello_client"))
        $result = $LASTEXITCODE
        $said | ForEach-Object { Write-Host "client | $_" }
        $server.StandardInput.WriteLine()
        $server.StandardInput.Close()
        $server.StandardOutput.ReadToEnd() -split "\r?\n" | Where-Object { $_ } | ForEach-Object {
            Write-Host "server | $_"
        }
        $server.WaitForExit()
    } finally {
        if (-not $server.HasExited) {
            $server.Kill()
        }
    }
    if ($server.ExitCode -ne 0) {
        Stop-With "the server failed with exit code $($server.ExitCode)"
    }
    if ($result -ne 0) {
        Stop-With "the client failed with exit code $result"
    }
    if (-not ($said -match "Message from first process")) {
        Stop-With "the client did not read the message"
    }
}

function Invoke-Test([string[]] $arguments) {
    $vcpkg = Find-Vcpkg
    Build-Tree "default" @("-DCMAKE_TOOLCHAIN_FILE=$vcpkg/scripts/buildsystems/vcpkg.cmake",
        "-DVCPKG_MANIFEST_FEATURES=test", "-DISTHMUS_BUILD_TESTS=ON", "-DISTHMUS_WERROR=ON")
    Invoke-Checked ctest (@("--test-dir", "build/default", "-C", $config, "--output-on-failure") + $arguments)
}

# An installation, and a project that finds it.
function Invoke-Consumer {
    $prefix = "$PWD/build/consumer/prefix"
    Build-Tree "consumer/library" @("-DISTHMUS_BUILD_TESTS=OFF", "-DCMAKE_INSTALL_PREFIX=$prefix")
    Invoke-Checked cmake @("--install", "build/consumer/library", "--config", $config)
    Invoke-Checked cmake @("-S", "tests/consumer", "-B", "build/consumer/find_package", "-DCMAKE_PREFIX_PATH=$prefix",
        "-DCMAKE_BUILD_TYPE=$config")
    Invoke-Checked cmake @("--build", "build/consumer/find_package", "--config", $config)
    $env:PATH = "$prefix/bin;$env:PATH"
    Invoke-Checked ctest @("--test-dir", "build/consumer/find_package", "-C", $config, "--output-on-failure")
}

function Invoke-Legs([string[]] $names) {
    if (-not $names) {
        $names = @("default", "consumer")
    }
    foreach ($name in $names) {
        Write-Host "==== leg $name"
        switch ($name) {
            "default" { Invoke-Test @() }
            "consumer" { Invoke-Consumer }
            default { Stop-With "no such leg on Windows: $name" }
        }
    }
    Write-Host "dev: all legs passed"
}

function Get-Sources {
    Get-ChildItem -Recurse -Include *.c, *.h include, src, tests, examples, bench | ForEach-Object { $_.FullName }
}

switch ($verb) {
    "hello" { Invoke-Hello }
    "test" { Invoke-Test $rest }
    "legs" { Invoke-Legs $rest }
    "bench" { Write-Host "dev: nothing to measure: on Windows a mapping is the native object itself" }
    "soak" { Write-Host "dev: nothing to soak: on Windows what a killed process leaves is the system's matter" }
    "format" {
        Find-Needed clang-format LLVM.LLVM "formats the code"
        Invoke-Checked clang-format (@("-i") + @(Get-Sources))
    }
    "lint" {
        Find-Needed clang-format LLVM.LLVM "formats the code"
        Invoke-Checked clang-format (@("--dry-run", "-Werror") + @(Get-Sources))
    }
    "help" { Show-Usage }
    default {
        Show-Usage
        Stop-With "no such verb: $verb"
    }
}
