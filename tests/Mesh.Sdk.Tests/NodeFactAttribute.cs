using System.ComponentModel;
using System.Diagnostics;

namespace Mesh.Sdk.Tests;

/// <summary>A test that needs Node and the packages of <c>node/package-lock.json</c>; skipped with the reason where they cannot be had.</summary>
internal sealed class NodeFactAttribute : FactAttribute
{
    private const int InstallMs = 180_000;

    private static readonly Lazy<string?> Missing = new(Install);

    public NodeFactAttribute() => Skip = Missing.Value;

    /// <summary>Where the scripts and their packages are.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "node");

    /// <summary>Runs a program there; null for a program that is not installed, or that did not end in time.</summary>
    public static (int Code, string Output, string Error)? Run(string program, int timeoutMs, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(timeoutMs))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }

            return (process.ExitCode, output.Result, error.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static string? Install()
    {
        if (Run("node", 10_000, "--version") is not { Code: 0 }) return "node is not installed.";
        if (File.Exists(Path.Combine(Folder, "node_modules", "ai", "package.json")) && File.Exists(Path.Combine(Folder, "node_modules", "openai", "package.json"))) return null;
        var install = Run("npm", InstallMs, "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        return install is { Code: 0 } ? null : $"npm could not install the packages: {install?.Error.Trim().Split('\n')[^1] ?? "it did not run or end"}";
    }
}
