namespace Mesh.Core.Scheduling.Cost;

/// <summary>Where a stream began.</summary>
/// <param name="Amount">The number that it is known by among its endpoint's streams; see <see cref="StreamSlack"/>.</param>
/// <param name="BegunMs">When its first token came, in milliseconds since the pool's start.</param>
/// <param name="Tokens">Tokens that a stream of its endpoint had been predicted to get until then.</param>
internal readonly record struct StreamMark(double Amount, double BegunMs, double Tokens)
{
    /// <summary>The same as <see cref="Tokens"/> by the step-time table alone.</summary>
    public double TableTokens { get; init; }

    /// <summary>False for a request whose answer has not begun, or comes as a whole.</summary>
    public bool IsStream { get; } = true;
}
