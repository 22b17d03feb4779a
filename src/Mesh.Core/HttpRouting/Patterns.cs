using System.Text.RegularExpressions;

namespace Mesh.Core.HttpRouting;

/// <summary>Regular expressions of routes: over the whole value, in time linear in its length, so that no request can make one run away.</summary>
internal static class Patterns
{
    /// <exception cref="ArgumentException">The pattern is malformed or needs backtracking (look-around, back references).</exception>
    public static Regex WholeValue(string pattern)
    {
        try
        {
            return new Regex($@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException($"Pattern '{pattern}' cannot be matched without backtracking: {e.Message}", nameof(pattern), e);
        }
    }
}
