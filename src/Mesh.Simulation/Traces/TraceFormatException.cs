namespace Mesh.Simulation.Traces;

/// <summary>A trace cannot be read; the message names file, line and what is wrong.</summary>
internal sealed class TraceFormatException(string source, long line, string problem) : Exception($"{source}:{line}: {problem}")
{
    /// <summary>Line, from 1.</summary>
    public long Line => line;
}
