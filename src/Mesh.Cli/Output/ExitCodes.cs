namespace Mesh.Cli.Output;

/// <summary>Exit codes of every command.</summary>
internal static class ExitCodes
{
    /// <summary>Done; what was asked about is right.</summary>
    public const int Done = 0;

    /// <summary>Manifests with errors, or something that does not exist; with <c>diff --exit-code</c>: a difference.</summary>
    public const int Failed = 1;

    /// <summary>A command line that cannot be understood; with <c>diff --exit-code</c>: no answer, because of errors.</summary>
    public const int Usage = 2;
}
