namespace Mesh.Core.Health;

/// <summary>
/// Decay by half-lives: what was 1 at <c>since</c> is worth <c>2^-n · (1 - f/2)</c> now, n being the whole half-lives that have passed and f
/// the part of the next. Straight lines between the powers of two instead of an exponential, because additions and multiplications give
/// the same bits on every machine and a decision trace must too.
/// </summary>
/// <param name="Now">Timestamp of now.</param>
/// <param name="HalfLifeTicks">Half-life in timestamp ticks, above 0.</param>
internal readonly record struct Decay(long Now, long HalfLifeTicks)
{
    /// <summary>After so many half-lives nothing is left: a millionth counts as 0.</summary>
    private const int VanishedAfterHalfLives = 20;

    /// <summary>What is left of 1, between 0 and 1.</summary>
    public double Factor(long since)
    {
        var age = Now - since;
        if (age <= 0) return 1;
        var whole = age / HalfLifeTicks;
        if (whole >= VanishedAfterHalfLives) return 0;
        var part = (double)(age - whole * HalfLifeTicks) / HalfLifeTicks;
        return (1 - part / 2) / (1L << (int)whole);
    }
}
