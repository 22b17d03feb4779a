using System.Text.RegularExpressions;
using Mesh.Core.Config;

namespace Mesh.Core.HttpRouting;

/// <summary>One path match. Prefixes compare whole elements: <c>/v1</c> takes <c>/v1</c> and <c>/v1/models</c>, not <c>/v1beta</c>.</summary>
internal sealed class PathMatcher
{
    private readonly PathMatchType _type;
    private readonly string _path;
    private readonly Regex? _pattern;

    public PathMatcher(PathMatchType type, string path)
    {
        _type = type;
        _path = type == PathMatchType.PathPrefix ? path.TrimEnd('/') : path;
        _pattern = type == PathMatchType.RegularExpression ? Patterns.WholeValue(path) : null;
    }

    /// <summary>Exact before prefix before pattern.</summary>
    public int KindOrder => _type switch { PathMatchType.Exact => 0, PathMatchType.PathPrefix => 1, _ => 2 };

    /// <summary>Characters compared; the longer wins within a kind.</summary>
    public int Length => _path.Length;

    public bool Matches(string path) => _type switch
    {
        PathMatchType.Exact => string.Equals(path, _path, StringComparison.Ordinal),
        PathMatchType.PathPrefix => path.StartsWith(_path, StringComparison.Ordinal) && (path.Length == _path.Length || path[_path.Length] == '/'),
        _ => _pattern!.IsMatch(path),
    };
}
