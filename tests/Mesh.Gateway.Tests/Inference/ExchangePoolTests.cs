using System.Reflection;
using System.Runtime.CompilerServices;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Mesh.Gateway.Tests.Inference;

public sealed class ExchangePoolTests
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Fact]
    public void Clear_AfterARequestThatSetEveryField_LeavesNothing()
    {
        using var lifetime = new RequestLifetime(default, default, TimeProvider.System);
        var fresh = New(lifetime);
        var used = New(lifetime);
        foreach (var field in Fields())
        {
            if (field.Name is "_router" or "<Lifetime>k__BackingField") continue;
            field.SetValue(used, Other(field.FieldType));
            Assert.False(Equal(field.GetValue(fresh), field.GetValue(used)), field.Name);
        }

        used.Clear();
        fresh.Clear();
        foreach (var field in Fields()) Assert.True(Equal(field.GetValue(fresh), field.GetValue(used)), $"{field.Name} is not cleared");
        var again = New(lifetime);
        used.Begin(again.Context, again.RequestId);
        foreach (var field in Fields()) Assert.True(Equal(field.GetValue(again), field.GetValue(used)), $"{field.Name} is not as in a new exchange");
    }

    private static InferenceExchange New(RequestLifetime lifetime) => new(Context, "id", lifetime, Router);

    private static readonly DefaultHttpContext Context = new();

    private static readonly FakeEngine Router = new(Configs.For());

    private static IEnumerable<FieldInfo> Fields()
    {
        for (var type = typeof(InferenceExchange); type != typeof(object); type = type.BaseType!)
        {
            foreach (var field in type.GetFields(Instance)) yield return field;
        }
    }

    private static bool Equal(object? a, object? b)
    {
        if (a is null || b is null || !a.GetType().IsValueType) return a is string ? a.Equals(b) : ReferenceEquals(a, b);
        return a.GetType() == b.GetType() && (a.GetType().IsPrimitive || a.GetType().IsEnum ? a.Equals(b) : a.GetType().GetFields(Instance).All(f => Equal(f.GetValue(a), f.GetValue(b))));
    }

    /// <summary>A value that no field has at the start.</summary>
    private static object Other(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(string)) return "other";
        if (type == typeof(bool)) return true;
        if (type.IsEnum) return Enum.ToObject(type, 1);
        if (type.IsPrimitive) return Convert.ChangeType(7, type, null);
        if (type.IsArray) return Array.CreateInstance(type.GetElementType()!, 1);
        if (!type.IsValueType) return type == typeof(HttpContext) ? new DefaultHttpContext() : RuntimeHelpers.GetUninitializedObject(type.IsAbstract ? typeof(InferenceExchange) : type);
        var value = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var field in type.GetFields(Instance))
        {
            if (field.FieldType == typeof(object) || field.FieldType.IsInterface || field.FieldType.IsAbstract) continue;
            field.SetValue(value, Other(field.FieldType));
        }

        return value;
    }
}
